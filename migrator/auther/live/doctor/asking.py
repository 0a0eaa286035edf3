"""Sends requests to an Auther that may be slow, broken or not Auther at all."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any

import httpx

from migrator.auther.live.doctor.interface import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_S = 10.0
CONNECT_S = 3.0
# After so many failures in a row nobody waits for the rest.
SILENT_AFTER = 3
MAX_BYTES = 512 * 1024
# better-auth refuses a POST whose headers are all simple ones; browsers send these.
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
FETCH = {"Sec-Fetch-Mode": "cors", "Accept": "*/*"}


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        seconds: From sending to the last byte.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float

    @property
    def location(self) -> str:
        """Where a redirect leads, empty without one."""
        return str(self.headers.get("location", ""))

    @property
    def text(self) -> str:
        """The body, whatever is no UTF-8 in it replaced."""
        return self.body.decode(errors="replace")

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object, empty when it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def code(self) -> str:
        """better-auth's error code, empty without one."""
        code = self.json.get("code", "")
        return code if isinstance(code, str) else ""

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that are set, by name; none that is being deleted."""
        found: dict[str, str] = {}
        for header in self.headers.get_list("set-cookie"):
            try:
                parsed = SimpleCookie(header)
            except CookieError:
                continue
            found |= {name: one.value for name, one in parsed.items() if one.value}
        return found


class Asker:
    """Sends requests: no redirects followed, no cookies kept, bodies and times bounded."""

    def __init__(self, base_url: str, *, request_s: float = REQUEST_S) -> None:
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        timeout = httpx.Timeout(request_s, connect=min(request_s, CONNECT_S))
        self._http = httpx.Client(timeout=timeout, follow_redirects=False, cookies=no_cookies)
        self._origin = base_url.rstrip("/")
        self._request_s = request_s
        self._failed_in_a_row = 0

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def ask(  # noqa: PLR0913 (as a request has parts)
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and read its answer.

        Raises:
            NoAnswerError: There was none in time, or it is too long.
        """
        if self._failed_in_a_row >= SILENT_AFTER:
            raise NoAnswerError("Auther has stopped answering")
        self._failed_in_a_row += 1
        sent = {"Origin": self._origin, **(headers or {})}
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        began = time.monotonic()
        try:
            with self._http.stream(
                method, url, headers=sent, json=json, data=form, params=query
            ) as answer:
                body = self._read(answer, until=began + self._request_s)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            where = url.partition("?")[0]
            raise NoAnswerError(f"{where} did not answer ({type(error).__name__})") from error
        self._failed_in_a_row = 0
        return Answer(answer.status_code, answer.headers, body, time.monotonic() - began)

    @staticmethod
    def _read(answer: httpx.Response, *, until: float) -> bytes:
        body = b""
        for part in answer.iter_bytes():
            body += part
            if len(body) > MAX_BYTES:
                raise NoAnswerError(f"an answer of more than {MAX_BYTES} bytes")
            if time.monotonic() > until:
                raise NoAnswerError("an answer that does not come to its end")
        return body
