"""The mark in `verification` of users of ours who may have no account that could tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrator.auther.interface import UserRow

MARK_COLUMNS = ("id", "identifier", "value", "expires_at", "created_at", "updated_at")
# The first day of the year 9999: better-auth clears away rows that have expired.
_NEVER_MS = 253_370_764_800_000


def mark_row(user: UserRow) -> tuple[Any, ...]:
    """Give the row, in the order of `MARK_COLUMNS`."""
    name = f"migrator:user:{user.id}"
    return name, name, "", _NEVER_MS, user.created_at, user.updated_at
