"""What one request carries through the parts of the shim."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from .answers import START_PATH, Response, drop_cookie, failed_page, set_cookie
from .attempt import Attempts
from .auther_api import AutherApi
from .credentials import TOKEN_COOKIE, Credentials
from .large_tokens import TokenStore
from .metrics import Counters
from .model import Header, People, VerificationUnavailableError
from .request import Request
from .sessions import DjangoSessions
from .settings import Settings
from .stage import StageView
from .tokens import TokenVerifier


@dataclass(frozen=True)
class Parts:
    """The parts of one middleware, the same for all requests."""

    settings: Settings
    counters: Counters
    people: People
    legacy: DjangoSessions
    verifier: TokenVerifier
    credentials: Credentials
    tokens: TokenStore
    attempts: Attempts
    api: AutherApi
    login_path: str
    now: Callable[[], float]


@dataclass(slots=True)
class Handle:
    """One request; the helpers for the application find it by `handle_of`.

    Attributes:
        headers: Added to the response, whoever makes it.
    """

    request: Request
    view: StageView
    parts: Parts
    headers: list[Header] = field(default_factory=list)

    def set_cookie(self, name: str, value: str, *, max_age_s: int) -> None:
        """Put a cookie into the response."""
        self.headers.append(set_cookie(self.parts.settings, name, value, max_age_s=max_age_s))

    def drop_cookie(self, name: str) -> None:
        """Remove a cookie from the browser, if it is there."""
        if self.request.cookies(self.parts.settings.cookie(name)):
            self.headers.append(drop_cookie(self.parts.settings, name))

    def failed_login(self, reason: str, status: int = 400, *, retry_after_s: float = 0) -> Response:
        """Count a login that came to no end, and show it."""
        self.parts.counters.count("auth_logins_failed", reason)
        return failed_page(reason, status, again=START_PATH, retry_after_s=retry_after_s)

    def drop_token(self) -> None:
        """Remove Auther's credential from the browser, and from the database what it leads to."""
        self.discard_token()
        self.drop_cookie(TOKEN_COOKIE)

    def discard_token(self) -> None:
        """Delete what the credential leads to in the database, if anything."""
        for value in self.request.cookies(self.parts.settings.cookie(TOKEN_COOKIE)):
            # The row ends by itself; without the cookie nobody can open it.
            with contextlib.suppress(VerificationUnavailableError):
                self.parts.tokens.discard(value)
