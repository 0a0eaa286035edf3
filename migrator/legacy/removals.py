"""Opens the application's database for a removal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from migrator.core.errors import RefusedError
from migrator.legacy.connect import open_database, open_postgres
from migrator.legacy.databases import MARIADB, database_of
from migrator.legacy.postgres_removal import PostgresRemoval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.legacy.mariadb.connection import MariaDbConnection
    from migrator.legacy.removal import RemovalDatabase


def is_mariadb(dsn: str) -> bool:
    """Tell whether a DSN leads to a MariaDB."""
    return database_of(dsn) is MARIADB


@contextmanager
def open_removal(
    dsn: str, *, doing: str, read_only: bool, wait_s: int
) -> Iterator[RemovalDatabase]:
    """Connect.

    Args:
        dsn: The application's database.
        doing: What needs it, for the message.
        read_only: The server refuses writes.
        wait_s: On MariaDB, how long a lock is waited for; emitted SQL says it itself elsewhere.

    Raises:
        RefusedError: It is another database.
        UsageError: The DSN cannot be read.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    if not is_mariadb(dsn):
        with open_postgres(dsn, doing=doing, read_only=read_only) as connection:
            yield PostgresRemoval(connection)
        return
    with open_database(dsn, read_only=read_only) as other:
        from migrator.legacy.mariadb_removal.database import MariaDbRemoval  # noqa: PLC0415 - an optional package

        yield MariaDbRemoval(cast("MariaDbConnection", other), wait_s=wait_s)


def only_postgres(database: RemovalDatabase, *, doing: str) -> PostgresRemoval:
    """Give a removal's PostgreSQL.

    Raises:
        RefusedError: It is another database, with which this was not built yet.
    """
    if not isinstance(database, PostgresRemoval):
        raise RefusedError(
            f"{doing}: the application's database is MariaDB, and this knows PostgreSQL only",
            hint="README.md, What it does not do yet",
        )
    return database
