"""The values that the parts of the shim hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

Header = tuple[bytes, bytes]


class AccountState(StrEnum):
    """What the application's own data says about an account."""

    ACTIVE = "active"
    LOCKED = "locked"
    LOCKED_BY_ATTEMPTS = "locked_by_attempts"
    UNCONFIRMED = "unconfirmed"
    DELETED = "deleted"


@dataclass(frozen=True)
class Person:
    """Whom a `sub` is linked to, with the account's state.

    Attributes:
        home: Where this person's password is.
        pinned: This person may not use Auther (a second factor that Auther cannot hold, …).
        valid_after_s: Tokens issued before this Unix time are revoked; None: none are.
        account: The row of your users' model.
    """

    user_pk: str
    auther_id: str
    home: Literal["legacy", "auther"] = "auther"
    pinned: bool = False
    valid_after_s: float | None = None
    state: AccountState = AccountState.ACTIVE
    account: Any = None

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
        if self.state is AccountState.ACTIVE:
            return False
        return not (self.state is AccountState.LOCKED_BY_ATTEMPTS and self.moved)

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


class SignedIn(NamedTuple):
    """Who this request acts for; the application finds it at `request.auther_user`.

    Attributes:
        credential: What was used.
    """

    user_pk: str
    credential: Literal["session", "cookie", "header"]
    auther_id: str | None = None
    claims: Mapping[str, Any] = MappingProxyType({})


class People(Protocol):
    """Looks people up; `identity.PostgresPeople` is ready to use.

    Each method may raise VerificationUnavailableError: the database does not answer.
    """

    def by_auther_id(self, auther_id: str) -> Person | None:
        """Give the person with this `sub`, None when no row links it."""
        ...

    def create(self, claims: Mapping[str, Any]) -> str:
        """Make a row for somebody whom Auther knows; never links by e-mail.

        Returns:
            `created`, `linked`, `email_taken`, `tombstone` or `column_needs_value`.
        """
        ...

    def signed_in(self, auther_id: str) -> None:
        """Note a login at Auther."""
        ...


class LargeTokens(Protocol):
    """Keeps what does not fit a cookie; `identity.PostgresPeople` does that too."""

    def keep(self, handle_hash: str, sealed: str, expires_at_s: float) -> None:
        """Store a sealed token and delete those that have ended."""
        ...

    def find(self, handle_hash: str) -> str | None:
        """Give a sealed token that has not ended."""
        ...

    def discard(self, handle_hash: str) -> None:
        """Delete a sealed token."""
        ...


class VerificationUnavailableError(Exception):
    """Nobody can say now whether a credential is good: answer 503, never 401."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
