"""Runs the application's statements on whichever database its DSN names."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pymysql

Row = tuple[Any, ...]
Run = Callable[..., tuple[list[Row], list[str]]]


def run_sql(dsn: str, query: str, *values: object) -> tuple[list[Row], list[str]]:
    """Run a statement with `%s` for values; give the rows and the names of their columns."""
    with _connected(dsn) as run:
        return run(query, *values)


@contextmanager
def open_transaction(dsn: str) -> Iterator[Run]:
    """Begin a transaction; it lasts until COMMIT is run, or the block ends."""
    with _connected(dsn) as run:
        run("BEGIN")
        yield run


@contextmanager
def _connected(dsn: str) -> Iterator[Run]:
    scheme = dsn.partition(":")[0]
    with (
        closing(CONNECT.get(scheme, _postgresql)(dsn)) as connection,
        closing(connection.cursor()) as cursor,
    ):

        def run(query: str, *values: object) -> tuple[list[Row], list[str]]:
            asked = query.replace("%s", "?") if scheme == "sqlite3" else query
            cursor.execute(asked, values or () if scheme == "sqlite3" else values or None)
            names = [column[0] for column in cursor.description or ()]
            return list(cursor.fetchall()) if names else [], names

        yield run


def _postgresql(dsn: str) -> Any:
    return psycopg.connect(dsn, autocommit=True)


def _mariadb(dsn: str) -> Any:
    at = urlsplit(dsn)
    return pymysql.connect(
        host=at.hostname,
        port=at.port or 0,
        user=at.username,
        password=unquote(at.password or ""),
        database=at.path[1:],
        autocommit=True,
        init_command="SET time_zone = '+00:00', sql_mode = ANSI_QUOTES, foreign_key_checks = 0",
    )


def _sqlite(dsn: str) -> Any:
    return sqlite3.connect(dsn.partition(":")[2], timeout=10, isolation_level=None)


CONNECT: dict[str, Callable[[str], Any]] = {"mysql2": _mariadb, "sqlite3": _sqlite}
