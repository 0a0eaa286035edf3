"""What the shim reads from an ASGI scope.

Nothing is handed to the application in headers, so no inbound header has to be stripped: whatever
a client calls `X-User` or `X-Auther-…`, nobody here reads it.
"""

from __future__ import annotations

from functools import cached_property
from urllib.parse import parse_qs, quote

from .model import Scope

_SAFE_METHODS = ("GET", "HEAD")
_MAX_PATH_BYTES = 1024


class Request:
    """A read-only view of one HTTP request or WebSocket handshake."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.path: str = scope["path"]
        # A WebSocket handshake is a GET.
        self.method: str = scope.get("method", "GET")
        # Looked into several times per request; without a repeated name a dict says everything.
        self._by_name: dict[bytes, bytes] = dict(scope["headers"])
        self._some_repeat = len(self._by_name) < len(scope["headers"])

    def headers(self, name: bytes) -> list[str]:
        """Give all values of a header, in order: a second one is never dropped unseen.

        Args:
            name: In lower case, as ASGI servers give them.
        """
        if self._some_repeat:
            return [value.decode("latin-1") for key, value in self.scope["headers"] if key == name]
        value = self._by_name.get(name)
        return [] if value is None else [value.decode("latin-1")]

    def header(self, name: bytes) -> str:
        """Give a header's only value, '' when it is absent or ambiguous."""
        if name not in self._by_name:
            return ""
        values = self.headers(name)
        return values[0] if len(values) == 1 else ""

    def cookies(self, name: str) -> list[str]:
        """Give all values sent under a cookie's name."""
        found = self._cookie_line
        if name not in found:
            return []
        pairs = (part.partition("=") for part in found.split(";"))
        return [value.strip() for key, _, value in pairs if key.strip() == name]

    def cookie(self, name: str) -> str:
        """Give a cookie's only value, '' when it is absent or ambiguous."""
        values = self.cookies(name)
        return values[0] if len(values) == 1 else ""

    @cached_property
    def _cookie_line(self) -> str:
        return ";".join(self.headers(b"cookie"))

    @property
    def query_string(self) -> str:
        """Give the query as it was sent."""
        return str(self.scope.get("query_string", b"").decode("latin-1"))

    @cached_property
    def query(self) -> dict[str, str]:
        """Give the query; a name that comes twice is left out."""
        text = self.query_string
        pairs = parse_qs(text, keep_blank_values=True, max_num_fields=100).items()
        return {name: values[0] for name, values in pairs if len(values) == 1}

    @property
    def wants_page(self) -> bool:
        """Tell whether a browser goes to a page, by a link or a form."""
        if self.scope["type"] != "http":
            return False
        mode = self.header(b"sec-fetch-mode")
        return mode == "navigate" if mode else "text/html" in self.header(b"accept").lower()

    @property
    def is_from_browser(self) -> bool:
        """Tell whether it has the signs of a browser, whatever it asks for."""
        found = self._by_name
        return (
            b"sec-fetch-mode" in found
            or found.get(b"user-agent", b"").startswith(b"Mozilla/")
            or b"text/html" in found.get(b"accept", b"")
        )

    @property
    def is_navigation(self) -> bool:
        """Tell whether a browser asks for a page, so that a redirect makes sense."""
        return self.method in _SAFE_METHODS and self.wants_page

    @property
    def is_top_level_get(self) -> bool:
        """Tell whether it is the page in the address bar that is asked for."""
        inside = self.header(b"sec-fetch-dest") not in {"", "document"}
        return self.method == "GET" and not inside and self.is_navigation

    def is_same_origin(self, origin: str, *, unsaid: bool) -> bool:
        """Tell whether a POST came from our own page.

        Args:
            origin: Our own; behind a proxy that ends TLS the request itself does not know it.
            unsaid: What holds where the browser says nothing about it.
        """
        site, sent_by = self.header(b"sec-fetch-site"), self.header(b"origin")
        if site:
            return site == "same-origin"
        if not sent_by:
            return unsaid
        return sent_by in {origin, f"{self.scope.get('scheme', 'http')}://{self.header(b'host')}"}

    def return_path(self) -> str:
        """Give this page's own path and query, to come back to after a login."""
        if self.method not in _SAFE_METHODS:
            return "/"
        query = self.query_string
        path = quote(self.path, safe="/:@!$&'()*+,;=~-._")
        return safe_return_path(f"{path}?{query}" if query else path)


def safe_return_path(text: str, *, default: str = "/") -> str:
    """Give a path on this origin, `default` for anything that could lead elsewhere."""
    # "//host", "/\\host" and a path with a control character are other origins to some browsers;
    # /auth/ is where logins themselves happen.
    leads_away = not text.startswith("/") or text[1:2] in {"/", "\\"} or text.startswith("/auth/")
    plain = text.isascii() and text.isprintable() and not set(text) & {" ", "\\"}
    return default if leads_away or not plain or len(text) > _MAX_PATH_BYTES else text
