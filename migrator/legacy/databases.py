"""The databases that an application's users can be in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.legacy.connection import DatabaseKind
from migrator.legacy.postgres import open_postgres
from migrator.legacy.sqlite.connection import open_sqlite

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from migrator.legacy.connection import Connection


def _open_mariadb(dsn: str, *, read_only: bool, name: str) -> AbstractContextManager[Connection]:
    try:
        from migrator.legacy.mariadb.connection import open_mariadb  # noqa: PLC0415 - an optional package
    except ModuleNotFoundError as error:
        raise UsageError(
            f"a MariaDB database needs the package {error.name}",
            hint="pip install 'migrator[mariadb]'",
        ) from error
    return open_mariadb(dsn, read_only=read_only, name=name)


POSTGRES = DatabaseKind("PostgreSQL", ("postgresql", "postgres"), open_postgres)
MARIADB = DatabaseKind("MariaDB", ("mysql", "mysql2", "mariadb"), _open_mariadb)
SQLITE = DatabaseKind("SQLite", ("sqlite", "sqlite3"), open_sqlite)
DATABASES = (POSTGRES, MARIADB, SQLITE)


def database_of(dsn: str) -> DatabaseKind:
    """Tell a database by its DSN; what begins with no scheme is psycopg's to read."""
    scheme = dsn.partition(":")[0].lower()
    return next((kind for kind in DATABASES if scheme in kind.schemes), POSTGRES)
