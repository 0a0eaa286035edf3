"""Connections to the application's database, and the errors that come from it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors, sql

from migrator.core.errors import DependencyError, MigratorError, RefusedError, UsageError
from migrator.core.redact import scrub
from migrator.legacy.connection import APPLICATION_NAME
from migrator.legacy.databases import POSTGRES, database_of
from migrator.legacy.interface import TableShape
from migrator.legacy.postgres import PostgresConnection
from migrator.legacy.postgres import open_postgres as connect_to_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.legacy.connection import Connection

_SHOWN_TABLES = 12


@contextmanager
def open_database(
    dsn: str, *, read_only: bool = True, name: str = APPLICATION_NAME
) -> Iterator[Connection]:
    """Connect to the application's database; every statement is a transaction of its own.

    Args:
        dsn: Its scheme tells which database it is; appears in no message.
        read_only: The database itself refuses writes on this connection.
        name: What the database shows of this connection, where it knows names.

    Raises:
        UsageError: The DSN cannot be read.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    with (
        wrapped("the application's database"),
        database_of(dsn).open(dsn, read_only=read_only, name=name) as connection,
    ):
        yield connection


def refuse_other_databases(dsn: str, *, doing: str) -> None:
    """Let pass a PostgreSQL only.

    Raises:
        RefusedError: It is another database.
    """
    kind = database_of(dsn)
    if kind is not POSTGRES:
        raise RefusedError(
            f"{doing}: the application's database is {kind.name}, and this knows PostgreSQL only",
            hint="the import, the sync and the write-back work there; this has to be done by hand",
        )


@contextmanager
def open_postgres(dsn: str, *, doing: str, read_only: bool = True) -> Iterator[PostgresConnection]:
    """Connect where nothing but PostgreSQL will do.

    Args:
        dsn: The application's database.
        doing: What needs it, for the message.
        read_only: As for `open_database`.

    Raises:
        RefusedError: It is another database.
        UsageError: The DSN cannot be read.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    refuse_other_databases(dsn, doing=doing)
    with (
        wrapped("the application's database"),
        connect_to_postgres(dsn, read_only=read_only) as connection,
    ):
        yield connection


@contextmanager
def wrapped(what: str) -> Iterator[None]:
    """Turn the driver's errors into one that says what failed, without secrets.

    Raises:
        DependencyError: The driver raised an error inside the block.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _say(what, error) from error


def _say(what: str, error: psycopg.Error) -> MigratorError:
    found = scrub(str(error).strip().partition("\n")[0]) or type(error).__name__
    if isinstance(error, errors.LockNotAvailable):
        return DependencyError(
            f"{what}: another session keeps a row locked",
            hint="find the open transaction (pg_stat_activity, SHOW PROCESSLIST), end it, then run the"
            " same again",
        )
    if isinstance(error, errors.InsufficientPrivilege):
        return DependencyError(f"{what}: {found}", hint="GRANT this to the role of legacy.dsn")
    return DependencyError(
        f"{what}: {found}",
        hint="check that the server runs and that legacy.dsn is right, then run the same again",
    )


def compose(text: str, **parts: str | sql.Composed) -> sql.Composed:
    """Put quoted identifiers, SQL fragments and what was composed into a named query; values stay parameters.

    Run the result with parameters, an empty mapping at least: a percent sign in a name is doubled.
    """
    ready = {
        name: sql.SQL(part.replace("%", "%%")) if isinstance(part, str) else part
        for name, part in parts.items()
    }
    return sql.SQL(text).format(**ready)


def describe_table(connection: Connection, table: str, *, key: str) -> TableShape:
    """Read a table's columns and primary key.

    Args:
        connection: To the application's database.
        table: `schema.table`, as in migrator.toml.
        key: The setting that names it, for the message.

    Raises:
        UsageError: There is no such table; the message lists what there is.
    """
    found = find_table(connection, table)
    if found is None:
        schema, name = connection.place(table)
        raise UsageError(
            f"{key}: there is no table {schema}.{name}; there are: {_tables(connection, schema)}",
            hint=f"set {key} in migrator.toml",
        )
    return found


def find_table(connection: Connection, table: str) -> TableShape | None:
    """Read a table's columns and primary key; None when there is no such table."""
    queries = connection.queries("connect.sql")
    schema, name = connection.place(table)
    place = {"schema": schema, "table": name}
    columns: dict[str, str] = dict(
        connection.execute(queries["columns"].encode(), place).fetchall()
    )
    if not columns:
        return None
    primary_key = tuple(c for (c,) in connection.execute(queries["primary_key"].encode(), place))
    return TableShape(schema, name, columns, primary_key)


def _tables(connection: Connection, schema: str) -> str:
    query = connection.queries("connect.sql")["tables"]
    rows = connection.execute(
        query.encode(), {"schema": schema, "limit": _SHOWN_TABLES}
    ).fetchall()
    return ", ".join(name for (name,) in rows) or "none"
