"""Django's own sessions, as the shim sees them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from .model import AccountState, Header, LegacySession
from .plumbing import act_as

USER_KEYS = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)


class DjangoDetector:
    """Sees sessions that hold a user; it stays when the rest of the legacy code is gone."""

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


class DjangoSessions(DjangoDetector):
    """Reads the sessions of `django.contrib.auth`, and takes their user out.

    Args:
        judge: Says what an account's state is.
    """

    def __init__(self, judge: Callable[[Any], AccountState]) -> None:
        super().__init__()
        self._judge = judge

    def read(self, http: HttpRequest) -> LegacySession | None:
        """Say whom the session names, as Django does: backend, password hash and all."""
        user = http.user
        if not user.is_authenticated:
            return None
        return LegacySession(str(user.pk), self._judge(user))

    def holder(self, http: HttpRequest) -> str:
        """Give whom the session names, '' for nobody; not whether that is true."""
        return str(http.session[SESSION_KEY]) if self.holds_user(http) else ""

    def forget(self, http: HttpRequest) -> tuple[Header, ...]:
        """Take the user, and only the user, out of the session: the cart stays."""
        if self._cookie_name in http.COOKIES or http.session.modified:
            for key in USER_KEYS:
                http.session.pop(key, None)
        act_as(http, AnonymousUser())
        return ()

    def give_way(self, http: HttpRequest, user_pk: str) -> None:
        """Make room for a login at Auther, as Django's own login does."""
        if self.holds_user(http) and http.session[SESSION_KEY] != user_pk:
            # Somebody else's cart.
            http.session.flush()
        self.forget(http)
        if self._cookie_name in http.COOKIES:
            # Whoever planted this session must not share what comes now.
            http.session.cycle_key()
        rotate_token(http)
