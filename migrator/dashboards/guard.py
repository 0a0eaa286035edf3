"""Who may ask: by the right host, from no other site, and with the token where one is asked for."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
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


class Refusal(NamedTuple):
    """Why somebody gets no answer, with the status that says so."""

    status: int
    words: str


WRONG_NAME = Refusal(421, "this name is not served here")
OTHER_SITE = Refusal(403, "not for other sites")
NO_TOKEN = Refusal(401, "the token, please")


@dataclass(frozen=True)
class Guard:
    """Stands before a whole application.

    A page that another name leads to (DNS rebinding) is refused by its Host header. The token comes as `Bearer`, or as
    the password of `Basic`, which every browser can ask for; so there is no cookie and nothing to forge a request with.

    Attributes:
        refused: Makes the answer to whoever is refused.
        hosts: Host headers that are good, with the port, in lower case; None for any.
        token: None where everybody who reaches the address may ask.
    """

    app: ASGIApp
    refused: Callable[[Refusal], Response]
    hosts: frozenset[str] | None
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

        refusal = self._refusal(Headers(scope=scope))
        await (self.app if refusal is None else self.refused(refusal))(scope, receive, guarded)

    def _refusal(self, headers: Headers) -> Refusal | None:
        if self.hosts is not None and headers.get("host", "").lower() not in self.hosts:
            return WRONG_NAME
        navigation = headers.get("sec-fetch-mode", "navigate") == "navigate"
        if headers.get("sec-fetch-site") == "cross-site" and not navigation:
            return OTHER_SITE
        if self.token is not None and not self._knows_it(headers.get("authorization", "")):
            return NO_TOKEN
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
