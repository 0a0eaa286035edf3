"""Writes as django.contrib.auth does."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from migrator.core.sql import ident
from migrator.legacy.columns import DeviseColumns
from migrator.legacy.connect import describe_table
from migrator.legacy.django import MODEL, new_row, password_read
from migrator.legacy.writable.interface import Writable

if TYPE_CHECKING:
    from migrator.config.model import LegacySection
    from migrator.legacy.connection import Connection

_STAFF = ("is_staff", "is_superuser")
_UNUSABLE_BYTES = 30


def django_writable(connection: Connection, settings: LegacySection) -> Writable:
    """Look at the table of the user model.

    Sessions and reset links hang on the password itself there, so they end with it.

    Raises:
        UsageError: A table or column is missing.
    """
    table = describe_table(connection, settings.users_table, key="legacy.users_table")
    parts = MODEL.written_parts(table, settings.columns)
    username = parts.get("username", "")
    return Writable(
        DeviseColumns(table, parts, frozenset(), "django"),
        new_row(table, settings.columns),
        schemes=frozenset({"django_pbkdf2", "django_bcrypt", "argon2"}),
        usual="django_pbkdf2:iterations=1000000",
        unusable=_unusable,
        stored=_stored,
        password=password_read(ident(parts["encrypted_password"])),
        username="" if username == parts["email"] else username,
        privileged=tuple(flag for flag in _STAFF if flag in table.columns),
    )


def _stored(value: str) -> str:
    """Give what Django writes: its own name before Argon2's value."""
    return f"argon2{value}" if value.startswith("$argon2") else value


def _unusable() -> str:
    """Give what `make_password(None)` does: '!' and forty characters."""
    return "!" + secrets.token_urlsafe(_UNUSABLE_BYTES)
