"""Auther's database as a SQLite or libSQL file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migrator.auther.ways import schema
from migrator.auther.ways.database import Each, Insert, InsertAlike, Run
from migrator.auther.ways.sql_target import SqlTarget
from migrator.auther.ways.sqlite_errors import wrapped
from migrator.config.on_disk import OWNER_ONLY
from migrator.core.errors import UsageError
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from migrator.auther.ways.database import Step

BUSY_TIMEOUT_S = 30
# Twice as much is no faster, since ids follow the legacy order.
CACHE_KIB = 16_384
PAGE_ROWS = 100_000
_QUERIES = load("migrator.auther.ways", "sqlite.sql")


class SqliteDatabase:
    """One connection to a file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.name = path.name
        self._connection = connection
        self._path = path

    def ask(self, *questions: Run) -> list[list[tuple[Any, ...]]]:  # noqa: D102
        with wrapped(self._path):
            return [self._connection.execute(sql, values).fetchall() for sql, values in questions]

    def write(self, *groups: Sequence[Step]) -> list[list[int] | None]:  # noqa: D102
        with wrapped(self._path):
            if len(groups) == 1:
                return [self._alone(groups[0])]
            with self._transaction():
                return [self._beside_others(group) for group in groups]

    def _alone(self, group: Sequence[Step]) -> list[int] | None:
        try:
            with self._transaction():
                return [self._do(step) for step in group]
        except sqlite3.IntegrityError:
            return None

    def _beside_others(self, group: Sequence[Step]) -> list[int] | None:
        self._connection.execute("SAVEPOINT one")
        try:
            return [self._do(step) for step in group]
        except sqlite3.IntegrityError:
            self._connection.execute("ROLLBACK TO one")
            return None
        finally:
            # A full disk ends the transaction by itself.
            if self._connection.in_transaction:
                self._connection.execute("RELEASE one")

    def _do(self, step: Step) -> int:
        if isinstance(step, Insert | Each):
            return self._connection.executemany(step.one_row(), step.rows).rowcount
        if isinstance(step, InsertAlike):
            return sum(self._connection.execute(*each).rowcount for each in step.statements())
        return self._connection.execute(step.sql, step.values).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


class SqliteTarget(SqlTarget):
    """A file keeps a copy of the identities beside it, which serves all pages."""

    _knows_subjects = False

    def _subjects(self, wanted: Sequence[str]) -> list[tuple[Any, ...]]:
        # Auther has no index on account ids.
        if not self._knows_subjects:
            self.database.ask(Run(_QUERIES["copy_subjects"]), Run(_QUERIES["index_subjects"]))
            self._knows_subjects = True
        return self.database.ask(Run(_QUERIES["find_subjects"], [json.dumps(wanted)]))[0]


@contextmanager
def open_sqlite(
    path: Path,
    *,
    bulk: bool = False,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    account_issuers: Mapping[str, str] | None = None,
) -> Iterator[SqliteTarget]:
    """Open Auther's database file for reading and writing; where there is none, make it (0600).

    Args:
        path: The file.
        bulk: The file is this migration's own and nobody uses it yet: write it in WAL mode, and
            leave it in `delete` mode, which is what Auther starts with. Otherwise the file's
            mode is left as it is found.
        busy_timeout_s: How long to wait for another writer.
        account_issuers: Issuers by provider, for a database of better-auth 1.7.0 to 1.7.2.

    Raises:
        RefusedError: The tables are of no known version of better-auth; the message names what
            differs.
        DependencyError: The file is busy, damaged or cannot be opened.
    """
    with wrapped(path):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=OWNER_ONLY)
        connection = _connect(path.resolve().as_uri(), busy_timeout_s)
    try:
        with wrapped(path):
            target = _prepare(connection, path, bulk=bulk, account_issuers=account_issuers or {})
        yield target
        if bulk:
            with wrapped(path):
                connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()


def _connect(uri: str, busy_timeout_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
    )


def _prepare(
    connection: sqlite3.Connection, path: Path, *, bulk: bool, account_issuers: Mapping[str, str]
) -> SqliteTarget:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    database = SqliteDatabase(connection, path)
    if schema.is_empty(database):
        schema.create_tables(database)
    target = _target(database, account_issuers)
    if bulk:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    return target


def _target(database: SqliteDatabase, account_issuers: Mapping[str, str]) -> SqliteTarget:
    layout = schema.known_layout(database)
    return SqliteTarget(database, layout, account_issuers=account_issuers, page_rows=PAGE_ROWS)


@contextmanager
def open_existing(
    path: Path, *, account_issuers: Mapping[str, str] | None = None
) -> Iterator[SqliteTarget]:
    """Open Auther's database file so that SQLite itself refuses to write.

    Raises:
        UsageError: There is no such file.
        RefusedError: The tables are of no known version of better-auth.
        DependencyError: The file is busy, damaged or cannot be opened.
    """
    if not path.exists():
        raise UsageError(f"there is no Auther database at {path.name}", hint="migrator import run")
    with wrapped(path):
        connection = _connect(f"{path.resolve().as_uri()}?mode=ro", BUSY_TIMEOUT_S)
    try:
        yield _target(SqliteDatabase(connection, path), account_issuers or {})
    finally:
        connection.close()
