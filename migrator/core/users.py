"""A legacy user on the way to Auther, and what can become of one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class LegacyIdentity:
    """A sign-in of the user at a social provider (OmniAuth).

    Attributes:
        provider: The provider's name, e.g. `google_oauth2`.
        uid: The user's id there.
        created_ms: When it was linked, Unix milliseconds; None when unknown.
    """

    provider: str
    uid: str
    created_ms: int | None


@dataclass(frozen=True)
class LegacyUser:
    """One row of the legacy users table, as read; times are Unix milliseconds.

    Attributes:
        pk: The primary key as text.
        salt: What stands beside the password in a column of its own (devise-encryptable).
        roles: Names of the roles that the user has in the application.
        disabled: Somebody took the account out of use, and no time ends that.
        created_ms: None when the row holds no time; an infinite one is beyond 2**63 - 2 either
            way. So with every other time.
    """

    pk: str
    email: str | None
    password: str | None
    name: str | None
    username: str | None
    created_ms: int | None
    updated_ms: int | None
    confirmed_ms: int | None
    locked_ms: int | None
    deleted_ms: int | None
    second_factor: bool
    identities: tuple[LegacyIdentity, ...] = ()
    salt: str | None = None
    roles: tuple[str, ...] = ()
    disabled: bool = False


class RejectReason(StrEnum):
    """Why a legacy user is not imported; closed, counted, written to the rejects file."""

    EMAIL_MISSING = "email_missing"
    EMAIL_COLLISION = "email_collision"
    TARGET_TAKEN = "target_taken"
    UNSUPPORTED_HASH = "unsupported_hash"
    TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
    TEXT_NOT_STORABLE = "text_not_storable"
    IDENTITY_TAKEN = "identity_taken"
    SOFT_DELETED = "soft_deleted"
    RESOLUTION_IMPOSSIBLE = "resolution_impossible"
    # No failure: the resolution file links the user to one whom Auther has already.
    LINKED = "linked"


class PinReason(StrEnum):
    """Why a user stays on the legacy path although imported."""

    SECOND_FACTOR = "second_factor"
    EMAIL_UNREACHABLE = "email_unreachable"


@dataclass(frozen=True)
class Reject:
    """A user that is not imported.

    Attributes:
        pk: The legacy primary key.
        reason: From the closed list.
        detail: What was found, without secrets; an address is masked.
    """

    pk: str
    reason: RejectReason
    detail: str = ""


@dataclass
class Tally:
    """Counts every user read exactly once: read = imported + linked + already there + rejected."""

    read: int = 0
    imported: int = 0
    linked: int = 0
    already_there: int = 0
    rejected: Counter[RejectReason] = field(default_factory=Counter)

    def adds_up(self) -> bool:
        """Tell whether every user read has one outcome."""
        at_auther = self.imported + self.linked + self.already_there
        return self.read == at_auther + self.rejected.total()
