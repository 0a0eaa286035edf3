"""The values that the parts of the shim hand to each other."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

Scope = MutableMapping[str, Any]
Header = tuple[bytes, bytes]


class Stage(StrEnum):
    """Where the migration stands."""

    LEGACY = "legacy"
    DUAL = "dual"
    DRAIN = "drain"
    AUTHER = "auther"


class AccountState(StrEnum):
    """What the application's own data says about an account."""

    ACTIVE = "active"
    LOCKED = "locked"
    LOCKED_BY_ATTEMPTS = "locked_by_attempts"
    UNCONFIRMED = "unconfirmed"
    DELETED = "deleted"
    SIGNED_OUT = "signed_out"  # everywhere, at Auther, where this person's home is


@dataclass(frozen=True)
class LegacySession:
    """Whom the application's own session or remember-me names."""

    user_pk: str
    state: AccountState = AccountState.ACTIVE


@dataclass(frozen=True)
class Person:
    """Whom a `sub` is linked to, with the account's state.

    Attributes:
        home: Where this person's password is.
        pinned: This person may not use Auther (a second factor that Auther cannot hold, …).
        valid_after_s: Tokens issued before this Unix time are revoked; None: none are.
    """

    user_pk: str
    auther_id: str
    home: Literal["legacy", "auther"] = "auther"
    pinned: bool = False
    valid_after_s: float | None = None
    state: AccountState = AccountState.ACTIVE

    @property
    def moved(self) -> bool:
        """Tell whether Auther has this person's password."""
        return self.home == "auther"

    @property
    def disabled(self) -> bool:
        """Tell whether the account's state keeps this person out of the Auther path.

        A lock that failed attempts at the legacy form imposed says nothing about somebody whose
        password is at Auther: else anybody could lock them out there.
        """
        only_by_attempts = self.state is AccountState.LOCKED_BY_ATTEMPTS and self.moved
        return self.state is not AccountState.ACTIVE and not only_by_attempts

    def revokes(self, issued_s: float | None) -> bool:
        """Tell whether a token of that time (whole seconds) was issued before a sign-out."""
        if self.valid_after_s is None:
            return False
        return issued_s is None or issued_s < self.valid_after_s // 1

    def refusal(self, issued_s: float | None) -> str:
        """Say why a good token of that time does not sign this person in, '' when it does."""
        if self.pinned:
            return "pinned"
        if self.revokes(issued_s):
            return "revoked"
        return "disabled" if self.disabled else ""


@dataclass(frozen=True)
class SignedIn:
    """Who this request acts for; the application finds it at `scope["auther.user"]`.

    Attributes:
        credential: What was used. CSRF protection may be skipped for `header` only: a browser
            sends the other two by itself.
    """

    user_pk: str
    credential: Literal["session", "cookie", "header"]
    auther_id: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)


class LegacyDetector(Protocol):
    """Sees legacy sign-ins; it stays when the rest of the legacy code is gone."""

    async def holds_user(self, scope: Scope) -> bool:
        """Tell whether the request's session or remember-me names a user.

        Opens what the browser sent with your own code; looks nobody up, authenticates nobody.
        """
        ...

    def fixture(self) -> Scope:
        """Give a request's scope with a session of a made-up user, sealed by your own code.

        In memory: nothing is stored. It goes through `holds_user` every minute and proves that
        the detector would see a real one.
        """
        ...


class LegacySessions(LegacyDetector, Protocol):
    """The application's own sessions; written by the application's team."""

    async def read(self, scope: Scope) -> LegacySession | None:
        """Say whom the session (or remember-me) names, as the application always did.

        Asked only where `holds_user` said yes. Creates no session.
        """
        ...

    async def forget(self, scope: Scope) -> Sequence[Header]:
        """Take the user, and only the user, out of session and remember-me: the cart stays.

        Returns:
            Response headers to add, e.g. the `set-cookie` that removes a remember-me cookie.
        """
        ...


class People(Protocol):
    """Looks people up; `identity.PostgresPeople` is ready to use.

    Each method may raise VerificationUnavailableError: the database does not answer.
    """

    async def by_auther_id(self, auther_id: str) -> Person | None:
        """Give the person with this `sub`, None when no row links it."""
        ...

    async def create(self, claims: Mapping[str, Any]) -> str:
        """Make a row for somebody whom Auther knows; never links by e-mail.

        Returns:
            `created`, `linked`, `email_taken`, `tombstone` or `column_needs_value`.
        """
        ...

    async def by_user_pk(self, user_pk: str) -> Person | None:
        """Give the person with this key, None when no row links it."""
        ...

    async def not_written_back(self, auther_id: str) -> bool:
        """Tell whether a change made at Auther has not reached the legacy side yet."""
        ...

    async def signed_in(self, auther_id: str, *, moves_home: bool) -> None:
        """Note a login at Auther; from then on the password is there, if `moves_home`."""
        ...

    async def shadow_checked(self, user_pk: str, *, matched: bool, reason: str) -> None:
        """Note whether a password that was right here would have been right at Auther."""
        ...


class LargeTokens(Protocol):
    """Keeps what does not fit a cookie; `identity.PostgresPeople` does that too."""

    async def keep(self, handle_hash: str, sealed: str, expires_at_s: float) -> None:
        """Store a sealed token and delete those that have ended."""
        ...

    async def find(self, handle_hash: str) -> str | None:
        """Give a sealed token that has not ended."""
        ...

    async def discard(self, handle_hash: str) -> None:
        """Delete a sealed token."""
        ...


class VerificationUnavailableError(Exception):
    """Nobody can say now whether a credential is good: answer 503, never 401."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
