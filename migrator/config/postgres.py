"""Connections to the application's PostgreSQL: named, limited in time, read-only unless asked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from migrator.core.errors import DependencyError, UsageError
from migrator.core.redact import scrub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

    from migrator.config.secrets import SecretRef

CONNECT_TIMEOUT_S = 10


def connect(
    dsn: SecretRef,
    root: Path,
    *,
    application_name: str,
    read_only: bool = True,
    statement_timeout: timedelta | None = None,
) -> psycopg.Connection:
    """Open a connection; times are exchanged in UTC and statements are not prepared.

    Args:
        dsn: Where the DSN is.
        root: Folder that a `file:` reference starts from.
        application_name: Shown in pg_stat_activity.
        read_only: Let the server refuse every write.
        statement_timeout: Each statement's limit; None leaves the server's own.

    Raises:
        UsageError: The secret is missing or is no DSN.
        DependencyError: The server cannot be reached or refuses the login.
    """
    text = dsn.reveal(root)
    try:
        conninfo_to_dict(text)
    except psycopg.Error:
        raise UsageError(
            f"{dsn} does not hold a PostgreSQL DSN; stages, gates and shims know no other database",
            hint="postgresql://user:password@host/name",
        ) from None
    try:
        connection = psycopg.connect(
            text, application_name=application_name, connect_timeout=CONNECT_TIMEOUT_S
        )
    except psycopg.Error as error:
        raise DependencyError(
            f"the database of {dsn} does not answer: {_first_line(error)}",
            hint="check the server and the DSN, then try the same command again",
        ) from error
    connection.prepare_threshold = None  # PgBouncer's transaction mode loses prepared statements.
    connection.read_only = read_only
    _set(connection, "TimeZone", "UTC")
    if statement_timeout is not None:
        _set(connection, "statement_timeout", str(round(statement_timeout.total_seconds() * 1000)))
    connection.commit()
    return connection


@contextmanager
def driver_errors(doing: str) -> Iterator[None]:
    """Turn the driver's errors inside the block into one of ours.

    Args:
        doing: What is being done, for the message, e.g. `counting sessions`.

    Raises:
        DependencyError: In place of any psycopg error.
    """
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
