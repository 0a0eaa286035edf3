"""What is written to Auther, and what a way into Auther can do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from migrator.core.users import PinReason

CREDENTIAL = "credential"
ROLE = "user"
# What the plugin says in place of the password of a user who is not of this migration, or has a role.
WITHHELD = "migrator:withheld"


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


@dataclass(frozen=True)
class Alike:
    """Rows of one table that have most values in common, as columns.

    Attributes:
        columns: The names of all columns, in order.
        same: The values that all rows share, by column.
        varying: The others, by column; of equal length.
    """

    columns: tuple[str, ...]
    same: Mapping[str, Any]
    varying: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.varying.values())))

    def rows(self) -> list[tuple[Any, ...]]:
        """Give them as rows."""
        parts = [self.varying.get(name) or repeat(self.same.get(name)) for name in self.columns]
        # What never ends goes along with what does.
        return list(zip(*parts, strict=False)) if len(self) else []


class Note(StrEnum):
    """What an imported user does not bring along; counted beside the outcomes."""

    NO_PASSWORD = "no_password"  # noqa: S105
    HASH_LEFT_BEHIND = "hash_left_behind"
    USERNAME_DROPPED = "username_dropped"
    IDENTITIES_WITHHELD = "identities_withheld"
    TIME_REPLACED = "time_replaced"
    EMAIL_RESEMBLES = "email_resembles"


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

    @property
    def is_privileged(self) -> bool:
        """Tell that somebody gave this user a role at Auther: no business of a migration any more."""
        return self.user.role not in (None, ROLE)


def password_of(accounts: Sequence[AccountRow]) -> str | None:
    """Give what the password's account holds, None without one."""
    for account in accounts:
        if account.provider_id == CREDENTIAL:
            return account.password
    return None


class Change(NamedTuple):
    """What a user at Auther has to become, if nobody touched the user since it was read.

    Attributes:
        before: As read; the change is made only while user row and accounts are still like that.
        user: The row to write, None to delete the user with everything that hangs on it.
        accounts: All accounts that the user shall have.
        granted: Access tuples to add; one that is there already stays as it is.
        revoked: Ids of access tuples of this user to take away.
    """

    before: Stored
    user: UserRow | None
    accounts: tuple[AccountRow, ...]
    granted: tuple[TupleRow, ...] = ()
    revoked: tuple[str, ...] = ()

    @property
    def ends_sessions(self) -> bool:
        """Tell that whoever is signed in as this user must not stay so.

        A ban stops new sign-ins only, and a password that was replaced may have been known to
        somebody else: as at a ban by better-auth itself, the sessions end with the change.
        """
        if self.user is None:
            return True
        then, now = self.before.user, self.user
        is_shut = bool(now.banned) and (then.banned, then.ban_expires) != (
            now.banned,
            now.ban_expires,
        )
        had = password_of(self.before.accounts)
        return is_shut or (had is not None and had != password_of(self.accounts))


class TargetChangedError(Exception):
    """Somebody else wrote to Auther between looking and writing; nothing was written."""


class Target(Protocol):
    """A way into Auther's database.

    Attributes:
        page_rows: The most users that are written at once.
    """

    page_rows: int

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

    def tuples(self, ids: Sequence[str]) -> dict[str, tuple[TupleRow, ...]] | None:
        """Read the access tuples of users, by id; users without any are left out.

        Returns:
            None where there is no table for them, or it cannot be read this way.
        """
        ...

    def owners(self, emails: Sequence[str]) -> dict[str, str]:
        """Give the user id by address, for those addresses that are there."""
        ...

    def count_users(self) -> int:
        """Count all users, ours and others'."""
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

    def ensure_account_index(self) -> bool:
        """Create an index on account(user_id) where there is none.

        Returns:
            Whether it was created; no where this way cannot.
        """
        ...

    def drop_account_index(self) -> None:
        """Drop the index that `ensure_account_index` created."""
        ...


class Way(Protocol):
    """Where Auther is and how to get in, before it is opened.

    Attributes:
        name: What messages call it; no secrets.
        snapshot_suffix: How the name of a file that `save` writes ends.
    """

    name: str
    snapshot_suffix: str

    def is_absent(self) -> bool:
        """Tell that there are no tables at all, so that nobody can be using it.

        Raises:
            DependencyError: It does not answer.
        """
        ...

    def refuse_in_use(self) -> None:
        """Let pass what can be written by the page while Auther is at work.

        Raises:
            RefusedError: Auther runs on this file: its sign-ins would answer 500.
        """
        ...

    def save(self, into: Path) -> int:
        """Write a copy of what is there to a new file that only its owner may read.

        Args:
            into: Not there yet; where this fails, something incomplete is left in it.

        Returns:
            The number of users in the copy.

        Raises:
            UsageError: There is nothing to copy.
            DependencyError: It does not answer, or the disk has no room.
        """
        ...

    def opened(self, *, writing: bool, bulk: bool = False) -> AbstractContextManager[Target]:
        """Open it.

        Args:
            writing: Otherwise nothing can be written, and tables that are missing are not made.
            bulk: Nobody uses it yet, and it is this migration's own.

        Raises:
            UsageError: There is none, and nothing is going to be written.
            RefusedError: The tables are of no known version of better-auth.
            DependencyError: It cannot be reached, or fails while the block runs.
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
