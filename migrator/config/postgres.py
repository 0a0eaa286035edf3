"""Looks into the application's PostgreSQL: named, read-only, limited in time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from migrator.core.errors import DependencyError, UsageError
from migrator.core.redact import scrub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

    from migrator.config.secrets import SecretRef
    from migrator.core.errors import MigratorError

CONNECT_TIMEOUT_S = 10


@contextmanager
def reading(
    dsn: SecretRef, root: Path, what: str, *, application_name: str, statement_timeout: timedelta
) -> Iterator[psycopg.Connection]:
    """Read during a block; times are exchanged in UTC and statements are not prepared.

    Args:
        dsn: Where the DSN is.
        root: Folder that a `file:` reference starts from.
        what: Is read, for messages; most often a table's name.
        application_name: Shown in pg_stat_activity.
        statement_timeout: Each statement's limit.

    Raises:
        UsageError: The secret is missing or is no DSN.
        DependencyError: In place of any error of the driver, which is its cause.
    """
    text = dsn.reveal(root)
    try:
        conninfo_to_dict(text)
    except psycopg.Error:
        raise UsageError(
            f"{dsn} does not hold a PostgreSQL DSN; stages, gates and shims know no other database",
            hint="postgresql://user:password@host/name",
        ) from None
    with _driver_errors(what), _connect(dsn, text, application_name) as connection:
        # PgBouncer's transaction mode loses prepared statements.
        connection.prepare_threshold = None
        connection.read_only = True
        _set(connection, "TimeZone", "UTC")
        _set(connection, "statement_timeout", str(round(statement_timeout.total_seconds() * 1000)))
        connection.commit()
        yield connection


def lacks_table(error: MigratorError) -> bool:
    """Tell whether a table was not there to be read."""
    return isinstance(error.__cause__, errors.UndefinedTable)


def _connect(dsn: SecretRef, text: str, application_name: str) -> psycopg.Connection:
    try:
        return psycopg.connect(
            text, application_name=application_name, connect_timeout=CONNECT_TIMEOUT_S
        )
    except psycopg.Error as error:
        raise DependencyError(
            f"the database of {dsn} does not answer: {_first_line(error)}",
            hint="check the server and the DSN, then try the same command again",
        ) from error


@contextmanager
def _driver_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise DependencyError(
            f"{doing}: {_first_line(error)}", hint="try the same command again"
        ) from error


def _set(connection: psycopg.Connection, name: str, value: str) -> None:
    connection.execute("SELECT set_config(%s, %s, false)", (name, value))


def _first_line(error: psycopg.Error) -> str:
    # Further lines quote values of rows.
    return scrub((str(error).strip() or type(error).__name__).splitlines()[0])
