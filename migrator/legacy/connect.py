"""Connections to the application's PostgreSQL, and the errors that come from it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors, sql

from migrator.core.errors import DependencyError, MigratorError, UsageError
from migrator.core.queries import load
from migrator.core.redact import scrub
from migrator.core.sql import qualified
from migrator.legacy.interface import TableShape

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATION_NAME = "migrator"
CONNECT_TIMEOUT_S = 10
_SHOWN_TABLES = 12
_ANY_BYTES = "SQL_ASCII"

Connection = psycopg.Connection[tuple[Any, ...]]


@contextmanager
def open_database(dsn: str, *, read_only: bool = True) -> Iterator[Connection]:
    """Connect to the application's database; every statement is a transaction of its own.

    Args:
        dsn: `postgresql://…` or key=value pairs; appears in no message.
        read_only: The server itself refuses writes on this connection.

    Raises:
        UsageError: The DSN cannot be read.
        DependencyError: The server cannot be reached, or fails while the block runs.
    """
    with wrapped("the application's database"):
        connection = _connect(dsn)
        try:
            query = "read_only" if read_only else "wait_for_locks"
            connection.execute(load("migrator.legacy", "connect.sql")[query].encode())
            yield connection
        finally:
            connection.close()


def _connect(dsn: str) -> Connection:
    try:
        return psycopg.connect(
            dsn,
            autocommit=True,
            application_name=APPLICATION_NAME,
            connect_timeout=CONNECT_TIMEOUT_S,
            client_encoding="utf8",
        )
    except psycopg.ProgrammingError:
        # Its message repeats the DSN, with the password.
        raise UsageError(
            "legacy.dsn cannot be read as a PostgreSQL address",
            hint="write it as postgresql://user:password@host:port/database",
        ) from None


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
            hint="find the open transaction in pg_stat_activity, end it, then run the same again",
        )
    if isinstance(error, errors.InsufficientPrivilege):
        return DependencyError(f"{what}: {found}", hint="GRANT this to the role of legacy.dsn")
    return DependencyError(
        f"{what}: {found}",
        hint="check that the server runs and that legacy.dsn is right, then run the same again",
    )


def read_any_bytes(connection: Connection) -> None:
    """Let a database without an encoding give its texts as they are, not refuse a whole statement.

    Afterwards only COPY gives text on this connection; other statements give bytes.
    """
    if connection.info.parameter_status("server_encoding") == _ANY_BYTES:
        with wrapped("the application's database"):
            connection.execute(load("migrator.legacy", "connect.sql")["any_bytes"].encode())


def compose(text: str, **parts: str) -> sql.Composed:
    """Put quoted identifiers and SQL fragments into a named query; values stay parameters.

    Run the result with parameters, an empty mapping at least: a percent sign in a name is doubled.
    """
    doubled = {name: sql.SQL(part.replace("%", "%%")) for name, part in parts.items()}
    return sql.SQL(text).format(**doubled)


def describe_table(connection: Connection, table: str, *, key: str) -> TableShape:
    """Read a table's columns and primary key.

    Args:
        connection: To the application's database.
        table: `schema.table`, as in migrator.toml; the schema defaults to `public`.
        key: The setting that names it, for the message.

    Raises:
        UsageError: There is no such table; the message lists what there is.
    """
    queries = load("migrator.legacy", "connect.sql")
    schema, name = qualified(table)
    place = {"schema": schema, "table": name}
    columns: dict[str, str] = dict(
        connection.execute(queries["columns"].encode(), place).fetchall()
    )
    if not columns:
        raise UsageError(
            f"{key}: there is no table {schema}.{name}; there are: {_tables(connection, schema)}",
            hint=f"set {key} in migrator.toml",
        )
    primary_key = tuple(c for (c,) in connection.execute(queries["primary_key"].encode(), place))
    return TableShape(schema, name, columns, primary_key)


def _tables(connection: Connection, schema: str) -> str:
    query = load("migrator.legacy", "connect.sql")["tables"]
    rows = connection.execute(
        query.encode(), {"schema": schema, "limit": _SHOWN_TABLES}
    ).fetchall()
    return ", ".join(name for (name,) in rows) or "none"
