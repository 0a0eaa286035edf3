"""Auther's tables as they are in a database: made where there are none, refused where unknown."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from migrator.auther.interface import AccountRow, TupleRow, UserRow
from migrator.auther.ways.database import Run
from migrator.core.errors import DependencyError, RefusedError
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.auther.ways.database import Database

ISSUER = "issuer"
TUPLES = "access_tuples"
# What lets an application act for a user without a session, in the order in which it can be deleted.
TOKENS = ("oauth_access_token", "oauth_refresh_token")
_QUERIES = load("migrator.auther.ways", "schema_live.sql")
REQUIRED: dict[str, tuple[str, ...]] = {
    "user": UserRow._fields,
    "account": (*AccountRow._fields, "access_token", "refresh_token", "id_token", "scope"),
    "session": ("id", "user_id", "token", "expires_at"),
    "verification": ("id", "identifier", "value", "expires_at"),
}
# Tables that not every Auther has; where there is one, it has these columns.
_OPTIONAL: dict[str, tuple[str, ...]] = {TUPLES: TupleRow._fields}
_WRITTEN: dict[str, frozenset[str]] = {
    "user": frozenset(UserRow._fields),
    "account": frozenset({*AccountRow._fields, ISSUER}),
    "verification": frozenset({*REQUIRED["verification"], "created_at", "updated_at"}),
    TUPLES: frozenset(TupleRow._fields),
}


@dataclass(frozen=True)
class Layout:
    """Which of the known forms the tables have.

    Attributes:
        issuers: Accounts carry an issuer: better-auth 1.7.0 to 1.7.2 made or changed the table.
        tuples: There is a table access_tuples.
        tokens: The tables there are of `TOKENS`.
    """

    issuers: bool = False
    tuples: bool = False
    tokens: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Name the version of better-auth that makes such tables."""
        return (
            "better-auth 1.7.0 to 1.7.2" if self.issuers else "better-auth 1.3, or 1.7.3 and later"
        )


def is_empty(database: Database) -> bool:
    """Tell that a database holds no table at all.

    Raises:
        DependencyError: The database does not answer.
    """
    return bool(database.ask(Run(_QUERIES["table_count"]))[0][0][0] == 0)


def create_tables(database: Database) -> None:
    """Make Auther's tables in an empty database, in one transaction.

    A killed process leaves the database as empty as it was.

    Raises:
        DependencyError: The database is busy or full.
    """
    script = (files("migrator.auther.ways") / "schema.sql").read_text(encoding="utf-8")
    steps = [Run(text) for text in script.split(";\n") if text.strip()]
    if database.write(steps) == [None]:
        raise DependencyError(
            f"{database.name} got tables from somebody else meanwhile", hint="migrator preflight"
        )


def known_layout(database: Database) -> Layout:
    """Read the live tables and say which known form they have.

    Raises:
        RefusedError: Something differs; the message names every table and column that does.
        DependencyError: The database does not answer.
    """
    layout, faults = read_layout(database)
    if faults:
        raise RefusedError(
            f"{database.name} is not an Auther database of a known version of better-auth:"
            f" {'; '.join(faults)}",
            hint="point [auther] in migrator.toml at another database, then: migrator preflight",
        )
    return layout


def read_layout(database: Database) -> tuple[Layout, tuple[str, ...]]:
    """Read the live tables.

    Args:
        database: One that is not empty.

    Returns:
        The form, and in words what is not as the import knows it; nothing in a known form.

    Raises:
        DependencyError: The database does not answer.
    """
    expected = {**REQUIRED, **_OPTIONAL}
    asked = (*expected, *TOKENS)
    answers = database.ask(*(Run(_QUERIES["columns"], [table]) for table in asked))
    live = {
        table: {str(name): bool(needed) for name, needed in rows}
        for table, rows in zip(asked, answers, strict=True)
    }
    tokens = tuple(table for table in TOKENS if "user_id" in live[table])
    found: list[str] = []
    for table, required in expected.items():
        if columns := live[table]:
            found.extend(_faults(table, required, columns))
        elif table in REQUIRED:
            found.append(f"there is no table {table}")
    layout = Layout(issuers=ISSUER in live["account"], tuples=bool(live[TUPLES]), tokens=tokens)
    return layout, tuple(found)


def _faults(table: str, required: tuple[str, ...], columns: Mapping[str, bool]) -> list[str]:
    missing = [column for column in required if column not in columns]
    found = [f"{table} has no column {', '.join(missing)}"] if missing else []
    written = _WRITTEN.get(table, frozenset(columns))
    found.extend(
        f"{table}.{column} needs a value that the import does not know"
        for column, needed in columns.items()
        if needed and column not in written
    )
    return found
