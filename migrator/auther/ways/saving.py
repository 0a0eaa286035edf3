"""Copies of what is at Auther, each a file that only its owner may read."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING, Any

from migrator.auther.ways.database import Run
from migrator.auther.ways.schema import TUPLES
from migrator.auther.ways.sqlite_errors import wrapped
from migrator.config.on_disk import OWNER_ONLY, private
from migrator.core.errors import DependencyError
from migrator.core.queries import load
from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from migrator.auther.interface import Target
    from migrator.auther.ways.database import Database

PAGE_ROWS = 2000
_TABLES = ("user", "account", TUPLES)
_SPARE = 1.1
_MEGABYTE = 1_000_000
_QUERIES = load("migrator.auther.ways", "saving.sql")


def save_file(path: Path, into: Path) -> int:
    """Copy a database file as it is at one moment, also while others write to it.

    Args:
        path: The database.
        into: A file that is not there yet; where this fails, something incomplete is left in it.

    Returns:
        The number of users in the copy.

    Raises:
        DependencyError: The disk has no room, or the copy is not whole.
    """
    with wrapped(path), closing(_read_only(path)) as connection:
        size = connection.execute(_QUERIES["size"]).fetchone()[0]
        free = shutil.disk_usage(into.parent).free
        if free < size * _SPARE:
            raise DependencyError(
                f"a copy of {path.name} takes {size // _MEGABYTE + 1:,} MB,"
                f" and {free // _MEGABYTE:,} MB are free",
                hint="make room beside migrator.toml, then run the same command again",
            )
        into.touch(mode=OWNER_ONLY)
        connection.execute(_QUERIES["copy"], [str(into)])
    with wrapped(into), closing(_read_only(into)) as copy:
        if copy.execute(_QUERIES["check"]).fetchall() != [("ok",)]:
            raise DependencyError(
                f"the copy of {path.name} is not whole",
                hint="look at the disk and at the database",
            )
        return int(copy.execute(_QUERIES["users"]).fetchone()[0])


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)


def save_tables(database: Database, into: Path) -> int:
    """Write users, accounts and roles with all their columns, one JSON object a line.

    Args:
        database: Read page by page: what changes meanwhile may be in it or not.
        into: A file that is not there yet.

    Returns:
        The number of users.

    Raises:
        DependencyError: The database does not answer, or the file cannot be written.
    """
    with _lines(into) as file:
        counts = {table: _save(database, table, file) for table in _TABLES}
    return counts["user"]


def _save(database: Database, table: str, file: IO[str]) -> int:
    columns = [name for (name,) in database.ask(Run(_QUERIES["columns"], [table]))[0]]
    if not columns:
        return 0
    query = _QUERIES["page"].format(columns=", ".join(map(ident, columns)), table=ident(table))
    place, count, after = columns.index("id"), 0, ""
    while rows := database.ask(Run(query, [after, PAGE_ROWS]))[0]:
        _write(file, table, (dict(zip(columns, row, strict=True)) for row in rows))
        count, after = count + len(rows), rows[-1][place]
    return count


def save_users(target: Target, into: Path) -> int:
    """Write users and accounts with the columns that the import knows; otherwise like `save_tables`.

    Raises:
        DependencyError: Auther does not answer, or the file cannot be written.
    """
    count = 0
    with _lines(into) as file:
        for ids in target.user_ids(rows=PAGE_ROWS):
            people = target.read(ids).values()
            _write(file, "user", (person.user._asdict() for person in people))
            accounts = [account for person in people for account in person.accounts]
            _write(file, "account", (account._asdict() for account in accounts))
            count += len(people)
    return count


def _write(file: IO[str], table: str, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        file.write(json.dumps({"table": table, "row": row}, ensure_ascii=False) + "\n")


@contextmanager
def _lines(into: Path) -> Iterator[IO[str]]:
    try:
        with open(into, "x", encoding="utf-8", opener=private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DependencyError(
            f"{into.name} cannot be written: {error.strerror}",
            hint="make room beside migrator.toml, then run the same command again",
        ) from error
