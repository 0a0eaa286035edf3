"""Writes as Laravel's Eloquent users are written."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from migrator.legacy.columns import DeviseColumns
from migrator.legacy.connect import describe_table, find_table
from migrator.legacy.laravel import MODEL, new_row
from migrator.legacy.writable.devise import unusable_bcrypt
from migrator.legacy.writable.interface import Writable

if TYPE_CHECKING:
    from migrator.config.model import LegacySection
    from migrator.legacy.connection import Connection
    from migrator.legacy.interface import TableShape

# Of Laravel 10 and later, and of those before.
_RESET_LINKS = ("password_reset_tokens", "password_resets")
_TOKEN_BYTES = 45


def laravel_writable(connection: Connection, settings: LegacySection) -> Writable:
    """Look at the table of the user model.

    Raises:
        UsageError: A table or column is missing.
    """
    table = describe_table(connection, settings.users_table, key="legacy.users_table")
    parts = MODEL.written_parts(table, settings.columns)
    return Writable(
        DeviseColumns(table, parts, frozenset(), "laravel"),
        new_row(table, settings),
        schemes=frozenset({"bcrypt", "argon2"}),
        usual="bcrypt:cost=12",
        unusable=lambda: _stored(unusable_bcrypt()),
        stored=_stored,
        remember_token=_remember_token,
        reset_links=_reset_links(connection, table),
        time_zone=settings.time_zone,
    )


def _stored(value: str) -> str:
    """Give bcrypt as PHP writes it: Laravel takes no other prefix for bcrypt."""
    return f"$2y${value[4:]}" if value.startswith("$2") else value


def _remember_token() -> str:
    """Give sixty characters, as `Str::random(60)` does: those of browsers fit no longer."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def _reset_links(connection: Connection, users: TableShape) -> TableShape | None:
    found = (find_table(connection, f"{users.schema}.{name}") for name in _RESET_LINKS)
    return next((table for table in found if table and "email" in table.columns), None)
