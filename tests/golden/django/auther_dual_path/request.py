"""What the shim reads of Django's request.

Nothing is handed to the application in headers, so no inbound header has to be stripped: whatever
a client calls `X-User` or `X-Auther-…`, nobody here reads it.
"""

from __future__ import annotations

from functools import cache, cached_property
from urllib.parse import parse_qs, quote

from django.http import HttpRequest

_SAFE_METHODS = ("GET", "HEAD")
_MAX_PATH_BYTES = 1024


@cache
def _meta_name(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


class Request:
    """A read-only view of one HTTP request."""

    def __init__(self, http: HttpRequest) -> None:
        self.http = http
        self.path: str = http.path
        self.method: str = http.method or "GET"
        self._meta = http.META

    def headers(self, name: str) -> list[str]:
        """Give a header's values: one or none, as WSGI servers join them.

        Args:
            name: In lower case.
        """
        value = self._meta.get(_meta_name(name))
        return [] if value is None else [value]

    def header(self, name: str) -> str:
        """Give a header's value, '' when it is absent."""
        return str(self._meta.get(_meta_name(name), ""))

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
        return ";".join(self.headers("cookie"))

    @property
    def query_string(self) -> str:
        """Give the query as it was sent."""
        return str(self._meta.get("QUERY_STRING", ""))

    @cached_property
    def query(self) -> dict[str, str]:
        """Give the query; a name that comes twice is left out."""
        text = self.query_string
        pairs = parse_qs(text, keep_blank_values=True, max_num_fields=100).items()
        return {name: values[0] for name, values in pairs if len(values) == 1}

    @property
    def wants_page(self) -> bool:
        """Tell whether a browser goes to a page, by a link or a form."""
        mode = self.header("sec-fetch-mode")
        return mode == "navigate" if mode else "text/html" in self.header("accept").lower()

    @property
    def is_from_browser(self) -> bool:
        """Tell whether it has the signs of a browser, whatever it asks for."""
        found = self._meta
        return (
            "HTTP_SEC_FETCH_MODE" in found
            or found.get("HTTP_USER_AGENT", "").startswith("Mozilla/")
            or "text/html" in found.get("HTTP_ACCEPT", "")
        )

    @property
    def is_navigation(self) -> bool:
        """Tell whether a browser asks for a page, so that a redirect makes sense."""
        return self.method in _SAFE_METHODS and self.wants_page

    @property
    def is_top_level_get(self) -> bool:
        """Tell whether it is the page in the address bar that is asked for."""
        inside = self.header("sec-fetch-dest") not in {"", "document"}
        return self.method == "GET" and not inside and self.is_navigation

    def is_same_origin(self, origin: str, *, unsaid: bool) -> bool:
        """Tell whether a POST came from our own page.

        Args:
            origin: Our own; behind a proxy that ends TLS the request itself does not know it.
            unsaid: What holds where the browser says nothing about it.
        """
        site, sent_by = self.header("sec-fetch-site"), self.header("origin")
        if site:
            return site == "same-origin"
        if not sent_by:
            return unsaid
        return sent_by in {origin, f"{self.http.scheme}://{self.header('host')}"}

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
