"""Looks at Auther before anything is written to it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from migrator.auther.ways.database import Run
from migrator.auther.ways.in_use import openers
from migrator.auther.ways.sql_target import SqlTarget
from migrator.core.queries import load

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.auther.interface import Target

_QUERIES = load("migrator.auther.ways", "inspect.sql")


@dataclass(frozen=True)
class FileFacts:
    """Auther's database file and its surroundings.

    Attributes:
        exists: There is such a file and it is not empty.
        folder_writable: A file can be created beside it.
        free_bytes: Free on that disk.
        fault: Why SQLite cannot use it, empty when it can.
        journal_mode: `delete` (one writer shuts readers out), `wal`, …
        locked: Somebody writes to it at this moment.
        opened_by: Process ids on this machine that have it open, as far as we may see.
    """

    path: Path
    exists: bool
    folder_writable: bool
    free_bytes: int
    fault: str = ""
    journal_mode: str = ""
    locked: bool = False
    opened_by: tuple[int, ...] = ()


@dataclass(frozen=True)
class Contents:
    """What is at a recognised Auther; the plugin tells the number of users only.

    Attributes:
        imported: Credential accounts that still hold a migration's envelope.
        account_index: Some index begins with account.user_id.
    """

    users: int
    accounts: int | None = None
    credentials: int | None = None
    imported: int | None = None
    account_index: bool | None = None


def look_at_file(path: Path) -> FileFacts:
    """Look at the file from outside and through SQLite; writes nothing.

    To learn whether somebody writes to it, a write transaction is begun and rolled back at once.
    """
    # The import makes the folders that are missing.
    folder = next(parent for parent in path.resolve().parents if parent.exists())
    facts = FileFacts(
        path,
        exists=path.is_file() and path.stat().st_size > 0,
        folder_writable=folder.is_dir() and os.access(folder, os.W_OK),
        free_bytes=shutil.disk_usage(folder).free,
    )
    if not facts.exists:
        return facts
    facts = replace(facts, opened_by=tuple(sorted(openers(path))))
    try:
        return replace(facts, journal_mode=_journal_mode(path), locked=_is_locked(path))
    except sqlite3.Error as error:
        if _is_busy(error):
            return replace(facts, locked=True)
        return replace(facts, fault=str(error))


def look_inside(target: Target) -> Contents:
    """Count what is at an Auther whose tables are known.

    Raises:
        DependencyError: It failed or is locked.
    """
    if not isinstance(target, SqlTarget):
        return Contents(users=target.count_users())
    users, accounts, indexes = target.database.ask(
        *(Run(_QUERIES[name]) for name in ("users", "accounts", "account_indexes"))
    )
    all_of_them, credentials, imported = accounts[0]
    return Contents(users[0][0], all_of_them, credentials, imported, indexes[0][0] > 0)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0)


def _ask(connection: sqlite3.Connection, question: str) -> Any:
    return connection.execute(_QUERIES[question]).fetchone()


def _journal_mode(path: Path) -> str:
    with closing(_connect(path)) as connection:
        _ask(connection, "schema_size")
        return str(_ask(connection, "journal_mode")[0])


def _is_locked(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute(_QUERIES["begin_write"])
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                return True
            raise
        connection.execute(_QUERIES["rollback"])
    return False


def _is_busy(error: sqlite3.Error) -> bool:
    # The low byte of the code is the primary one.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
