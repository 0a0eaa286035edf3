"""A user as a file gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_TEXT, _TIME, _FLAG = "text", "timestamp with time zone", "boolean"
# Each column that a file may give, with its type in our table.
TYPES: dict[str, str] = {
    **dict.fromkeys(("id", "email", "password", "salt", "name", "username"), _TEXT),
    **dict.fromkeys(
        ("created_at", "updated_at", "confirmed_at", "locked_at", "deleted_at"), _TIME
    ),
    **dict.fromkeys(("verified", "disabled", "second_factor"), _FLAG),
    **dict.fromkeys(("provider", "uid"), _TEXT),
    "roles": "text[]",
}


@dataclass(frozen=True)
class FileUser:
    """A user as a file gives it.

    Attributes:
        values: Texts, aware times, flags and lists by the names of `TYPES`; what the file says
            nothing about is missing, what it says is empty is None.
        identities: Sign-ins elsewhere as (provider, uid).
    """

    values: dict[str, Any]
    identities: tuple[tuple[str, str], ...] = ()
