"""Connections to an application's SQLite file."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from psycopg import errors

from migrator.core.errors import UsageError
from migrator.core.queries import load
from migrator.core.sql import qualified
from migrator.legacy.connection import Activity
from migrator.legacy.rows import LookAlike, Named, Rows, text_of
from migrator.legacy.sqlite.values import (
    FUNCTIONS,
    UTC_COLUMN,
    as_text,
    in_own_words,
    parameters,
    time_of,
    translated,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrator.legacy.connection import Query
    from migrator.legacy.rows import Row

# JSON functions, UPDATE … FROM and RETURNING.
OLDEST = (3, 35)
LOCK_WAIT_S = 30.0
# A writer that is at work for longer is one whose beginning nobody knows.
_LOOK_WAIT_MS = 2000
_SCHEMA = "main"
_STEPS = 10_000


class SqliteConnection(LookAlike):
    """sqlite3's connection in the shape of psycopg's."""

    # At once as a writer: who reads first may not become one while another writes.
    begin = "BEGIN IMMEDIATE"
    largest_key = 2**63 - 1
    quote = '"'
    runs_functions = False
    gives_columns = False

    def __init__(self, raw: sqlite3.Connection) -> None:
        super().__init__()
        self._raw = raw
        self._limit_s: float | None = None
        self._began = 0.0

    def limit(self, seconds: float) -> None:
        """End each statement that takes longer; SQLite asks now and then whether to go on."""
        self._limit_s = seconds
        self._raw.set_progress_handler(self._is_over, _STEPS)

    def _is_over(self) -> bool:
        return self._limit_s is not None and time.monotonic() > self._began + self._limit_s

    def queries(self, file: str) -> Mapping[str, str]:
        """Give the named queries of a file: PostgreSQL's, and in their place what differs here."""
        return {**load("migrator.legacy", file), **load("migrator.legacy.sqlite", file)}

    def execute(self, query: Query, params: Any = None, /) -> Rows:
        """Run a statement, or several of which the last one gives the rows."""
        given = parameters(params or {})
        found = Rows([], 0)
        with self.turn, translated():
            self._began = time.monotonic()
            for statement in in_own_words(text_of(query)):
                cursor = self._raw.execute(statement, given)
                names = [column[0] for column in cursor.description or ()]
                rows = _with_times(cursor.fetchall(), names)
                found = Rows(
                    rows,
                    cursor.rowcount,
                    [Named(name.removesuffix(UTC_COLUMN)) for name in names] or None,
                )
        return found

    def insert(self, query: Query, rows: Sequence[Row], /) -> None:
        """Run an INSERT for each row."""
        with self.turn, translated():
            self._raw.executemany(text_of(query), rows)

    def place(self, table: str) -> tuple[str, str]:
        """Split a table's name; there is one schema."""
        return _SCHEMA, qualified(table)[1]

    def activity(self) -> Activity:
        """Take the turn of a writer for a moment: then whoever wrote before has committed.

        Where somebody else keeps it, there is a transaction of which no one knows when it began.
        """
        queries = self.queries("changes.sql")
        with self.turn, self._may_lock():
            try:
                self.execute(queries["lock"])
            except errors.LockNotAvailable:
                return Activity(self._now(), None, 1, None)
            try:
                return Activity(self._now(), None, 0, None)
            finally:
                self.execute(queries["unlock"])

    @contextmanager
    def _may_lock(self) -> Iterator[None]:
        before = self.execute("PRAGMA query_only").rows[0][0]
        self.execute(f"PRAGMA busy_timeout = {_LOOK_WAIT_MS}")
        self.execute("PRAGMA query_only = OFF")
        try:
            yield
        finally:
            self.execute(f"PRAGMA query_only = {before}")
            self.execute(f"PRAGMA busy_timeout = {round(LOCK_WAIT_S * 1000)}")

    def _now(self) -> Any:
        return self.execute(self.queries("connect.sql")["now"]).rows[0][0]

    def read_any_bytes(self) -> None:
        """Texts come as they are: nothing to do."""


def _with_times(rows: list[Row], names: Sequence[str]) -> list[Row]:
    places = {place for place, name in enumerate(names) if name.endswith(UTC_COLUMN)}
    if not places:
        return rows
    return [
        tuple(time_of(value) if place in places else value for place, value in enumerate(row))
        for row in rows
    ]


@contextmanager
def open_sqlite(
    dsn: str,
    *,
    read_only: bool,
    name: str = "",  # noqa: ARG001 - a file knows no names
) -> Iterator[SqliteConnection]:
    """Open a file that is there.

    Args:
        dsn: `sqlite:/absolute/path`.
        read_only: SQLite itself refuses writes on this connection.
        name: Not used.

    Raises:
        UsageError: The path is not absolute, there is no such file, or SQLite is too old.
        psycopg.Error: The file cannot be opened.
    """
    path = _path(dsn)
    if sqlite3.sqlite_version_info < OLDEST:
        raise UsageError(
            f"SQLite {sqlite3.sqlite_version} is too old",
            hint="run migrator with a Python that has SQLite 3.35 or later",
        )
    with translated():
        raw = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            timeout=LOCK_WAIT_S,
            isolation_level=None,
            check_same_thread=False,
        )
    try:
        raw.text_factory = as_text
        for call, function in FUNCTIONS.items():
            raw.create_function(call, 1, function, deterministic=True)
        connection = SqliteConnection(raw)
        if read_only:
            # It has its snapshot from its first reading on, and takes no writer's turn.
            connection.begin = "BEGIN"
        connection.execute(
            connection.queries("connect.sql")["read_only" if read_only else "writing"]
        )
        yield connection
    finally:
        raw.close()


def _path(dsn: str) -> Path:
    text = dsn.partition(":")[2]
    path = Path(text.removeprefix("//"))
    if not path.is_absolute():
        raise UsageError(
            "legacy.dsn has to name the SQLite file by its whole path",
            hint="write it as sqlite:/srv/app/db/production.sqlite3",
        )
    if not path.is_file():
        raise UsageError(f"there is no file {path}", hint="check legacy.dsn")
    return path
