"""Django's own sessions, as the shim sees them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest


class DjangoDetector:
    """Sees sessions that hold a user."""

    def __init__(self) -> None:
        self._cookie_name: str = settings.SESSION_COOKIE_NAME

    def holds_user(self, http: HttpRequest) -> bool:
        """Tell whether the request's session names a user; looks nobody up."""
        # Without the cookie the session is not even looked at: no query, and no `Vary: Cookie`.
        return self._cookie_name in http.COOKIES and SESSION_KEY in http.session

    def fixture(self) -> HttpRequest:
        """Give a request with a made-up user's session, sealed and opened by Django's own code."""
        store: Any = import_module(settings.SESSION_ENGINE).SessionStore
        sealed = store().encode({SESSION_KEY: "0", BACKEND_SESSION_KEY: "", HASH_SESSION_KEY: ""})
        session = store("fixture")
        # In memory: as `load` would leave it, and nothing is stored.
        session._session_cache = session.decode(sealed)
        http = HttpRequest()
        http.COOKIES[self._cookie_name] = "fixture"
        http.session = session
        return http
