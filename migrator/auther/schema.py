"""Auther's tables as they are in a database file: made where there are none, refused where unknown."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from migrator.auther.interface import AccountRow, UserRow
from migrator.core.queries import load

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

REQUIRED: dict[str, tuple[str, ...]] = {
    "user": UserRow._fields,
    "account": (*AccountRow._fields, "access_token", "refresh_token", "id_token", "scope"),
    "session": ("id", "user_id", "token", "expires_at"),
    "verification": ("id", "identifier", "value", "expires_at"),
}
_WRITTEN: dict[str, frozenset[str]] = {
    "user": frozenset(UserRow._fields),
    "account": frozenset(AccountRow._fields),
}


def is_empty(connection: sqlite3.Connection) -> bool:
    """Tell that a database holds no table at all."""
    query = load("migrator.auther", "sqlite.sql")["table_count"]
    return bool(connection.execute(query).fetchone()[0] == 0)


def create_tables(connection: sqlite3.Connection) -> None:
    """Make Auther's tables in an empty database, in one transaction.

    A killed process leaves the database as empty as it was.

    Raises:
        sqlite3.Error: The database is busy or full.
    """
    statements = (files("migrator.auther") / "schema.sql").read_text(encoding="utf-8")
    connection.executescript(f"BEGIN IMMEDIATE;\n{statements}\nCOMMIT;")


def faults(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Say by name what is not as the import knows it.

    Args:
        connection: To a database that is not empty.

    Returns:
        What is wrong, in words; empty when the tables are those of better-auth 1.3.
    """
    found = []
    for table, required in REQUIRED.items():
        columns = _columns(connection, table)
        if not columns:
            found.append(f"there is no table {table}")
            continue
        missing = [column for column in required if column not in columns]
        if missing:
            found.append(f"{table} has no column {', '.join(missing)}")
        found.extend(_newer(table, columns))
    return tuple(found)


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, bool]:
    """Give the columns, each with whether a row must bring a value for it."""
    query = load("migrator.auther", "sqlite.sql")["columns"]
    return {name: bool(needed) for name, needed in connection.execute(query, [table])}


def _newer(table: str, columns: Mapping[str, bool]) -> list[str]:
    if table == "account" and "issuer" in columns:
        return ["account.issuer is there: this is better-auth 1.7 or later, made for 1.3"]
    unknown = [
        c for c, needed in columns.items() if needed and c not in _WRITTEN.get(table, columns)
    ]
    return [f"{table}.{column} needs a value that the import does not know" for column in unknown]
