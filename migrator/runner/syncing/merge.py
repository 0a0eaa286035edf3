"""Decides what a user at Auther has to become after a change in the application. Pure.

The application decides about everything that it knows; what only Auther knows stays: pictures,
accounts that users linked there, bans that were imposed there, roles, a password that was hashed
anew while the application's stayed the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.interface import CREDENTIAL, Change, password_of
from migrator.auther.mapping.roles import Revision
from migrator.core import ids
from migrator.schemes.native import is_native

if TYPE_CHECKING:
    from migrator.auther.interface import AccountRow, Mapped, Stored, UserRow
    from migrator.legacy.followed import Record

OURS = "migrator: "
NO_ROLES = Revision()
BANNED_GONE = f"{OURS}gone from the legacy system"


class Kind(StrEnum):
    """Changes that can do harm in masses; each has a brake."""

    BAN = "ban"
    DELETE = "delete"
    PASSWORD = "password"  # noqa: S105
    ROLE = "role"


class Step(NamedTuple):
    """What has to be done about one user.

    Attributes:
        change: At Auther, None when nothing changes there.
        record: What `migrator_identity` has to say after it, None when it says so already.
    """

    pk: str
    auther_id: str
    kinds: frozenset[Kind]
    change: Change | None
    record: Record | None

    @property
    def changes_roles(self) -> bool:
        """Tell that access tuples come or go."""
        return self.change is not None and bool(self.change.granted or self.change.revoked)


def merge(
    row: Mapped,
    stored: Stored,
    record: Record,
    *,
    mark: bytes,
    now_ms: int,
    roles: Revision = NO_ROLES,
) -> Step | None:
    """Compare a user on both sides.

    Args:
        row: What an import would write.
        stored: What Auther holds.
        record: What Auther was given last.
        mark: Tells our accounts at Auther from others.
        now_ms: The present, Unix milliseconds: which bans have ended.
        roles: Access tuples that are missing or too many.

    Returns:
        What has to be done, None when both sides agree.
    """
    pinned = None if row.pinned is None else str(row.pinned)
    noted = None
    if (pinned, row.fingerprint) != (record.pinned, record.fingerprint):
        noted = record._replace(pinned=pinned, fingerprint=row.fingerprint)
    is_equal = row.user == stored.user and row.accounts == stored.accounts
    if is_equal and noted is None and roles == NO_ROLES:
        return None
    is_renewed = row.fingerprint != record.fingerprint
    user = _user(row.user, stored.user, now_ms)
    accounts = _accounts(row, stored, is_renewed=is_renewed, mark=mark)
    change = _change(stored, user, accounts, roles)
    if change is None and noted is None:
        return None
    kinds = frozenset() if change is None else _kinds(change, now_ms)
    return Step(row.pk, row.user.id, kinds, change, noted)


def banned(stored: Stored, record: Record, reason: str, *, now_ms: int) -> Step | None:
    """Shut a user out without end, None when that is so already."""
    user = stored.user
    if _is_banned(user, now_ms) and user.ban_expires is None:
        return None
    shut = user._replace(banned=1, ban_reason=reason, ban_expires=None)
    change = Change(stored, shut, stored.accounts)
    return Step(record.pk, record.auther_id, _kinds(change, now_ms), change, None)


def deleted(stored: Stored, record: Record) -> Step:
    """Take a user out of Auther."""
    change = Change(stored, None, ())
    return Step(record.pk, record.auther_id, frozenset({Kind.DELETE}), change, None)


def is_ours(account: AccountRow, mark: bytes) -> bool:
    """Tell that this migration wrote an account."""
    return account.id == ids.account_id(
        mark, owner=account.user_id, provider=account.provider_id, subject=account.account_id
    )


def _change(
    stored: Stored, user: UserRow, accounts: tuple[AccountRow, ...], roles: Revision
) -> Change | None:
    if user == stored.user and accounts is stored.accounts and roles == NO_ROLES:
        return None
    revoked = tuple(row.id for row in roles.extra)
    return Change(stored, user, accounts, roles.missing, revoked)


def _user(wanted: UserRow, found: UserRow, now_ms: int) -> UserRow:
    user = wanted
    if (wanted.image, wanted.role) != (found.image, found.role):
        user = wanted._replace(image=found.image, role=found.role)
    if not _keeps_ban(wanted, found, now_ms):
        return user
    return user._replace(
        banned=found.banned,
        ban_reason=found.ban_reason,
        ban_expires=found.ban_expires,
        updated_at=max(found.updated_at, wanted.updated_at),
    )


def _keeps_ban(wanted: UserRow, found: UserRow, now_ms: int) -> bool:
    """Tell whether what Auther says of a ban stands."""
    if wanted.banned and not _is_banned(wanted, now_ms) and not found.banned:
        return True  # The lock has ended on both sides, here by itself.
    is_foreign = not (found.ban_reason or "").startswith(OURS)
    if not is_foreign or not _is_banned(found, now_ms):
        return False
    return not _is_banned(wanted, now_ms) or _ends(found) >= _ends(wanted)


def _is_banned(user: UserRow, now_ms: int) -> bool:
    return bool(user.banned) and _ends(user) > now_ms


def _ends(user: UserRow) -> float:
    return float("inf") if user.ban_expires is None else user.ban_expires


def _accounts(
    row: Mapped, stored: Stored, *, is_renewed: bool, mark: bytes
) -> tuple[AccountRow, ...]:
    """Give the accounts that the user shall have; the very ones that are there when they are the same."""
    if row.accounts == stored.accounts:
        return stored.accounts
    if [account.id for account in row.accounts] == [account.id for account in stored.accounts]:
        pairs = zip(row.accounts, stored.accounts, strict=True)
        accounts = tuple([_followed(*pair, is_renewed=is_renewed) for pair in pairs])
        return stored.accounts if accounts == stored.accounts else accounts
    accounts = _put_together(row, stored, is_renewed=is_renewed, mark=mark)
    return stored.accounts if set(accounts) == set(stored.accounts) else accounts


def _put_together(
    row: Mapped, stored: Stored, *, is_renewed: bool, mark: bytes
) -> tuple[AccountRow, ...]:
    found = {account.id: account for account in stored.accounts}
    brought = {account.id for account in row.accounts}
    unknown = [a for a in stored.accounts if a.id not in brought and not is_ours(a, mark)]
    made_there = next((a for a in unknown if a.provider_id == CREDENTIAL), None)
    accounts = []
    for wanted in row.accounts:
        if wanted.provider_id != CREDENTIAL or made_there is None:
            accounts.append(_followed(wanted, found.get(wanted.id), is_renewed=is_renewed))
        elif is_renewed:
            # A user has one password: the one that was set last on the side that decides.
            accounts.append(wanted)
            unknown.remove(made_there)
    return (*accounts, *unknown)


def _followed(wanted: AccountRow, found: AccountRow | None, *, is_renewed: bool) -> AccountRow:
    """Give an account as the application has it; a password that was only hashed anew at Auther stays."""
    if wanted.provider_id != CREDENTIAL or found is None or is_renewed:
        return wanted
    if not is_native(found.password or ""):
        return wanted
    return wanted._replace(password=found.password, updated_at=found.updated_at)


def _kinds(change: Change, now_ms: int) -> frozenset[Kind]:
    before, user = change.before, change.user
    kinds: set[Kind] = set()
    if user is not None and _is_banned(user, now_ms) and not _is_banned(before.user, now_ms):
        kinds.add(Kind.BAN)
    if change.accounts is not before.accounts and (
        password_of(before.accounts) != password_of(change.accounts)
    ):
        kinds.add(Kind.PASSWORD)
    if change.revoked:
        kinds.add(Kind.ROLE)
    return frozenset(kinds)
