"""A browser in a few lines: it keeps cookies, follows no redirect, and notes what it did."""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx

from migrator.conformance.interface import CannotRunError, MismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}
XHR = {"Accept": "application/json"}
TIMEOUT_S = 20
_SHOWN = 120
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back, with what was sent.

    Attributes:
        sent: The request in words: no token and no password in it.
    """

    sent: str
    status: int
    headers: httpx.Headers
    text: str

    @property
    def location(self) -> str:
        """Give where a redirect leads."""
        return str(self.headers.get("location", ""))

    @property
    def path(self) -> str:
        """Give the path that a redirect leads to, whatever its origin."""
        return urlsplit(self.location).path

    @property
    def query(self) -> dict[str, str]:
        """Give the query of the redirect's URL."""
        return {
            name: values[-1] for name, values in parse_qs(urlsplit(self.location).query).items()
        }

    @property
    def set_cookies(self) -> list[str]:
        """Give each Set-Cookie line."""
        return self.headers.get_list("set-cookie")

    def set_cookie(self, name: str) -> str:
        """Give the Set-Cookie line of one cookie.

        Raises:
            MismatchError: There is none, or more than one.
        """
        lines = [line for line in self.set_cookies if line.startswith(f"{name}=")]
        self.must(len(lines) == 1, f"one Set-Cookie of {name}")
        return lines[0]

    def json(self) -> Any:
        """Read the body as JSON; None when it is none."""
        try:
            return httpx.Response(self.status, text=self.text).json()
        except ValueError:
            return None

    @property
    def error(self) -> str:
        """Give the error code in the body, '' without one."""
        body = self.json()
        return str(body.get("error", "")) if isinstance(body, dict) else ""

    def __str__(self) -> str:
        where = f" to {_short(self.location)}" if self.location else ""
        body = _short(" ".join(self.text.split()))
        return f"{self.status}{where} {body}".strip()

    def mismatch(self, expected: str) -> MismatchError:
        """Say that something else was expected."""
        return MismatchError(expected, sent=self.sent, came_back=str(self))

    def must(self, holds: object, expected: str) -> None:
        """Raise unless something holds.

        Raises:
            MismatchError: It does not.
        """
        if not holds:
            raise self.mismatch(expected)


@dataclass
class Wire:
    """The connections to one application, shared by all browsers."""

    base_url: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        # Reading certificates takes longer than a request; cookies are the browsers' own business.
        tls = ssl.create_default_context() if self.base_url.startswith("https:") else False
        nobody = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self.client = httpx.Client(
            base_url=self.base_url,
            timeout=TIMEOUT_S,
            trust_env=False,
            verify=tls,
            cookies=nobody,
            limits=httpx.Limits(max_connections=64),
        )

    def send(self, method: str, path: str, headers: Headers, **body: Any) -> Answer:
        """Send one request; follows no redirect.

        Raises:
            CannotRunError: There is no answer.
        """
        sent = _in_words(method, path, headers, body)
        try:
            found = self.client.request(
                method, path, headers=headers, follow_redirects=False, **body
            )
        except httpx.HTTPError as error:
            raise CannotRunError(f"{sent}: no answer ({type(error).__name__})") from None
        return Answer(sent, found.status_code, found.headers, found.text)


@dataclass
class Browser:
    """One browser.

    Attributes:
        cookies: By name; what it sends with each request.
        extra: Further cookies, which may repeat a name.
    """

    wire: Wire
    cookies: dict[str, str] = field(default_factory=dict)
    extra: list[tuple[str, str]] = field(default_factory=list)

    def get(self, path: str, *more: tuple[str, str], **headers: str) -> Answer:
        """Ask as a script on a page does; `more` are headers whose names may repeat."""
        return self.send("GET", path, {**XHR, **_dashed(headers)}, more)

    def visit(self, path: str, *more: tuple[str, str], **headers: str) -> Answer:
        """Go to a page."""
        return self.send("GET", path, {**NAVIGATION, **_dashed(headers)}, more)

    def post(
        self,
        path: str,
        data: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        method: str = "POST",
    ) -> Answer:
        """Send a form, or JSON."""
        common = XHR if json is not None else {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
        body = {"json": json} if json is not None else {"data": dict(data or {})}
        return self.send(method, path, {**common, **(headers or {})}, (), **body)

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        more: Iterable[tuple[str, str]] = (),
        **body: Any,
    ) -> Answer:
        """Send any request with this browser's cookies, and keep what it sets."""
        lines = [*headers.items(), *more]
        pairs = [*self.cookies.items(), *self.extra]
        if pairs:
            lines.append(("Cookie", "; ".join(f"{name}={value}" for name, value in pairs)))
        answer = self.wire.send(method, path, lines, **body)
        self.keep(answer.set_cookies)
        return answer

    def keep(self, lines: Iterable[str]) -> None:
        """Take Set-Cookie lines as a browser does."""
        for line in lines:
            name, _, value = line.split(";")[0].strip().partition("=")
            lasts_s = lifetime_s(line)
            if lasts_s is not None and lasts_s <= 0:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def copy(self) -> Browser:
        """Give another browser with the same cookies."""
        return Browser(self.wire, dict(self.cookies), list(self.extra))


def attributes_of(line: str) -> set[str]:
    """Give a Set-Cookie line's attributes, in lower case."""
    return {part.strip().lower() for part in line.split(";")[1:]}


def lifetime_s(line: str) -> float | None:
    """Give how long a browser keeps a Set-Cookie line's cookie, None: until it is closed."""
    found = {
        name.strip().lower(): value.strip()
        for name, _, value in (part.partition("=") for part in line.split(";")[1:])
    }
    if "max-age" in found:
        return int(found["max-age"])
    if "expires" in found:
        return parsedate_to_datetime(found["expires"]).timestamp() - time.time()
    return None


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _in_words(method: str, path: str, headers: Headers, body: Mapping[str, Any]) -> str:
    shown = [
        f"{name}: {_cookie_names(value) if name == 'Cookie' else _short(value)}"
        for name, value in headers
        if name not in {"Accept", "Sec-Fetch-Dest"}
    ]
    fields = body.get("data") or body.get("json") or {}
    if fields:
        shown.append(f"fields {', '.join(sorted(fields))}")
    return "; ".join([f"{method} {_short(path)}", *shown])


def _cookie_names(line: str) -> str:
    return ", ".join(part.partition("=")[0] for part in line.split("; "))


def _short(text: str) -> str:
    text = _TOKEN.sub("<token>", text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
