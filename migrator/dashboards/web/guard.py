"""Who may look: the right host, and the token where one is asked for."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Guard:
    """Stands before the whole application.

    A page that another name leads to (DNS rebinding) is refused by its Host header. The token comes as `Bearer`, or as
    the password of `Basic`, which every browser can ask for; so there is no cookie and nothing to forge a request with.

    Attributes:
        hosts: Host headers that are good, with the port, in lower case.
        token: None where everybody who reaches the address may look.
    """

    app: ASGIApp
    hosts: frozenset[str]
    token: str | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer instead of the application, or let it answer with the headers of a guarded page."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refused = self._refusal(Headers(scope=scope))
        await (refused or self.app)(scope, receive, guarded)

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        if headers.get("host", "").lower() not in self.hosts:
            return PlainTextResponse("this name is not served here\n", 421)
        navigation = headers.get("sec-fetch-mode", "navigate") == "navigate"
        if headers.get("sec-fetch-site") == "cross-site" and not navigation:
            return PlainTextResponse("not for other sites\n", 403)
        if self.token is not None and not self._knows_it(headers.get("authorization", "")):
            ask = {"WWW-Authenticate": 'Basic realm="migrator", charset="UTF-8"'}
            return PlainTextResponse("the token, please\n", 401, headers=ask)
        return None

    def _knows_it(self, authorization: str) -> bool:
        scheme, _, said = authorization.partition(" ")
        given = said.strip()
        if scheme.lower() == "basic":
            given = _password(given)
        elif scheme.lower() != "bearer":
            given = ""
        return hmac.compare_digest(given.encode(), (self.token or "").encode())


def _password(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
