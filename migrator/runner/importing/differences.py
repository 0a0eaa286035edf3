"""Tells a user as it has to be from the user as Auther holds it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from migrator.core.envelope import PREFIX
from migrator.core.redact import mask_email
from migrator.schemes.native import is_native

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.auther.interface import AccountRow, Mapped, Stored, UserRow

_BAN = frozenset({"banned", "ban_reason", "ban_expires", "updated_at"})
_REHASH = frozenset({"password", "updated_at"})
_PERSONAL = frozenset({"name", "username", "display_username", "image", "account_id"})


class Allowed(StrEnum):
    """What Auther does by itself, and what the sync did, which are no differences."""

    REHASHED = "rehashed at a sign-in"
    BAN_ENDED = "ban ended by itself"
    SHUT_OUT = "gone from the application, banned"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it has to be.

    Attributes:
        kind: `missing`, `user.<column>`, `account.<column>`, `account missing`, `orphan`, …
        pk: The legacy key, empty where there is none.
        detail: What was expected and found; addresses are masked, other personal values left out.
    """

    kind: str
    pk: str
    auther_id: str
    detail: str = ""


def compare(row: Mapped, stored: Stored, *, now_ms: int) -> tuple[list[Difference], list[Allowed]]:
    """Compare one user and all accounts.

    Args:
        row: What the import would write today.
        stored: What is there.
        now_ms: The present, to know which bans have ended.
    """
    differences, allowed = _compare_users(row, stored.user, now_ms)
    found = {account.id: account for account in stored.accounts}
    for expected in row.accounts:
        account = found.pop(expected.id, None)
        if account is None:
            detail = f"at {expected.provider_id}"
            differences.append(Difference("account missing", row.pk, row.user.id, detail))
            continue
        if _is_rehashed(expected, account):
            allowed.append(Allowed.REHASHED)
            account = account._replace(**{c: getattr(expected, c) for c in _REHASH})
        differences.extend(_fields("account", row, expected, account))
    differences.extend(
        Difference("account extra", row.pk, row.user.id, f"at {account.provider_id}")
        for account in found.values()
    )
    return differences, allowed


def _compare_users(
    row: Mapped, found: UserRow, now_ms: int
) -> tuple[list[Difference], list[Allowed]]:
    expires = row.user.ban_expires
    if row.user.banned and not found.banned and expires is not None and expires <= now_ms:
        found = found._replace(**{c: getattr(row.user, c) for c in _BAN})
        return _fields("user", row, row.user, found), [Allowed.BAN_ENDED]
    return _fields("user", row, row.user, found), []


def _is_rehashed(expected: AccountRow, found: AccountRow) -> bool:
    return (
        (expected.password or "").startswith(PREFIX)
        and found.password is not None
        and is_native(found.password)
    )


def _fields(
    table: str, row: Mapped, expected: UserRow | AccountRow, found: UserRow | AccountRow
) -> list[Difference]:
    if expected == found:
        return []
    return [
        Difference(f"{table}.{column}", row.pk, row.user.id, _say(column, wanted, there))
        for column, wanted, there in _pairs(expected, found)
        if wanted != there
    ]


def _pairs(
    expected: UserRow | AccountRow, found: UserRow | AccountRow
) -> Iterator[tuple[str, Any, Any]]:
    return zip(expected._fields, expected, found, strict=True)


def _say(column: str, wanted: Any, there: Any) -> str:
    return f"expected {_show(column, wanted)}, found {_show(column, there)}"


def _show(column: str, value: Any) -> str:
    if value is None:
        return "nothing"
    if column == "email":
        return mask_email(str(value))
    if column == "password":
        return _kind_of_password(str(value))
    return "another text" if column in _PERSONAL else str(value)


def _kind_of_password(value: str) -> str:
    if value.startswith(PREFIX):
        return "an envelope"
    return "a hash of Auther's own" if is_native(value) else "an unknown value"
