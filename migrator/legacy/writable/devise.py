"""Writes as Devise does."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import bcrypt

from migrator.legacy.columns import find_columns
from migrator.legacy.connect import describe_table
from migrator.legacy.new_user import devise_row
from migrator.legacy.writable.interface import Writable

if TYPE_CHECKING:
    from migrator.config.model import LegacySection
    from migrator.legacy.connection import Connection

_COST = 4
_SECRET_BYTES = 32


def devise_writable(connection: Connection, settings: LegacySection) -> Writable:
    """Look at the table of a Devise model.

    Raises:
        UsageError: A table or column is missing.
    """
    table = describe_table(connection, settings.users_table, key="legacy.users_table")
    columns = find_columns(table, settings.columns)
    return Writable(
        columns,
        devise_row(columns),
        schemes=frozenset({"bcrypt"}),
        usual="bcrypt:cost=12",
        unusable=unusable_bcrypt,
        cleared=("reset_password_token", "reset_password_sent_at"),
    )


def unusable_bcrypt() -> str:
    """Give a hash that no password fits, with a salt of its own: '' would let sessions be made up."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    return bcrypt.hashpw(secret, bcrypt.gensalt(_COST, prefix=b"2a")).decode()
