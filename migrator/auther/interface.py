"""What is written to Auther, and what a way into Auther can do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrator.core.users import PinReason

CREDENTIAL = "credential"


class UserRow(NamedTuple):
    """A row of `user`, in the order of its columns; times are Unix milliseconds, flags 0 or 1."""

    id: str
    name: str
    email: str
    email_verified: int
    image: str | None
    created_at: int
    updated_at: int
    role: str | None
    banned: int | None
    ban_reason: str | None
    ban_expires: int | None
    username: str | None
    display_username: str | None


class AccountRow(NamedTuple):
    """What the import writes of a row of `account`; tokens stay NULL."""

    id: str
    account_id: str
    provider_id: str
    user_id: str
    password: str | None
    created_at: int
    updated_at: int


class TupleRow(NamedTuple):
    """A row of `access_tuples`; times are Unix **seconds** in this table."""

    id: str
    entity_type: str
    entity_type_id: str | None
    entity_id: str
    relation: str
    subject_type: str
    subject_id: str
    subject_relation: str | None
    condition: str | None
    created_at: int
    updated_at: int


class Note(StrEnum):
    """What an imported user does not bring along; counted beside the outcomes."""

    NO_PASSWORD = "no_password"  # noqa: S105
    HASH_LEFT_BEHIND = "hash_left_behind"
    USERNAME_DROPPED = "username_dropped"
    IDENTITIES_WITHHELD = "identities_withheld"


class Mapped(NamedTuple):
    """One legacy user as rows for Auther.

    Attributes:
        pk: The legacy primary key.
        pinned: Why the user stays on the legacy path, None when not pinned.
        fingerprint: SHA-256 of the legacy hash in hexadecimal, None without one.
    """

    pk: str
    user: UserRow
    accounts: tuple[AccountRow, ...]
    pinned: PinReason | None
    fingerprint: str | None
    notes: tuple[Note, ...]
    tuples: tuple[TupleRow, ...] = ()


@dataclass(frozen=True)
class Found:
    """What Auther holds already of what a page is about to write.

    Attributes:
        ids: User ids that exist.
        emails: The owner's user id by address.
        usernames: The owner's user id by user name.
        subjects: The owner's user id by (provider, account id).
    """

    ids: frozenset[str] = frozenset()
    emails: dict[str, str] = field(default_factory=dict)
    usernames: dict[str, str] = field(default_factory=dict)
    subjects: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """A user as Auther holds it now."""

    user: UserRow
    accounts: tuple[AccountRow, ...]


class Change(NamedTuple):
    """What a user at Auther has to become, if nobody touched the user since it was read.

    Attributes:
        before: As read; the change is made only while user row and accounts are still like that.
        user: The row to write, None to delete the user with everything that hangs on it.
        accounts: All accounts that the user shall have.
    """

    before: Stored
    user: UserRow | None
    accounts: tuple[AccountRow, ...]


class TargetChangedError(Exception):
    """Somebody else wrote to Auther between looking and writing; nothing was written."""


class Target(Protocol):
    """A way into Auther's database."""

    def find(self, rows: Sequence[Mapped]) -> Found:
        """Tell what is there already of these rows' ids, addresses, names and identities."""
        ...

    def write(self, rows: Sequence[Mapped]) -> None:
        """Write users with their accounts in one short transaction, all or none.

        Raises:
            TargetChangedError: A row came into being meanwhile; look again.
            DependencyError: The database is busy, full or gone; nothing was written.
        """
        ...

    def change(self, changes: Sequence[Change]) -> list[str]:
        """Change users in one short transaction, each by compare-and-swap.

        Returns:
            The ids of those who were touched by somebody else meanwhile, or whose new address or
            user name another user has; nothing was written for them.

        Raises:
            DependencyError: The database is busy, full or gone; nothing was written.
        """
        ...

    def read(self, ids: Sequence[str]) -> dict[str, Stored]:
        """Read users with all their accounts, by id."""
        ...

    def owners(self, emails: Sequence[str]) -> dict[str, str]:
        """Give the user id by address, for those addresses that are there."""
        ...

    def user_ids(self, *, rows: int) -> Iterator[list[str]]:
        """Read all user ids in order, page by page."""
        ...

    def tables_in_use(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """Name, per user, the tables other than `account` that hold rows of that user."""
        ...

    def remove(self, ids: Sequence[str]) -> int:
        """Delete users with everything that hangs on them, in one transaction.

        Returns:
            The number of users that were there.
        """
        ...


@dataclass
class Notes:
    """Counts of what imported users do not bring along, and of pinned and banned ones."""

    notes: Counter[Note] = field(default_factory=Counter)
    pinned: Counter[PinReason] = field(default_factory=Counter)
    banned: int = 0

    def add(self, row: Mapped) -> None:
        """Count one user."""
        self.notes.update(row.notes)
        self.banned += bool(row.user.banned)
        if row.pinned is not None:
            self.pinned[row.pinned] += 1
