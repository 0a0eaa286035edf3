"""Looks at Auther's database file before anything is written to it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from migrator.auther.in_use import openers
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_QUERIES = load("migrator.auther", "inspect.sql")


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
    """What is in a recognised Auther database.

    Attributes:
        imported: Credential accounts that still hold a migration's envelope.
        account_index: Some index begins with account.user_id.
    """

    users: int
    accounts: int
    credentials: int
    imported: int
    account_index: bool


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


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open the file so that SQLite itself refuses to write.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0)


def look_inside(connection: sqlite3.Connection) -> Contents:
    """Count what is in a database whose tables are Auther's.

    Raises:
        sqlite3.Error: The file failed or is locked.
    """
    accounts, credentials, imported = _ask(connection, "accounts")
    return Contents(
        users=_ask(connection, "users")[0],
        accounts=accounts,
        credentials=credentials,
        imported=imported,
        account_index=_ask(connection, "account_indexes")[0] > 0,
    )


def owners(connection: sqlite3.Connection, emails: Collection[str]) -> dict[str, str]:
    """Tell who has these addresses at Auther.

    Args:
        connection: To Auther's database.
        emails: Normalised addresses, some thousands at a time.

    Returns:
        Auther's user id by address, for those addresses that are there.

    Raises:
        sqlite3.Error: The file failed or is locked.
    """
    return dict(connection.execute(_QUERIES["owners"], [json.dumps(list(emails))]).fetchall())


def present(connection: sqlite3.Connection, ids: Collection[str]) -> int:
    """Count how many of these user ids exist.

    Raises:
        sqlite3.Error: The file failed or is locked.
    """
    return int(connection.execute(_QUERIES["present"], [json.dumps(list(ids))]).fetchone()[0])


def _ask(connection: sqlite3.Connection, question: str) -> Any:
    return connection.execute(_QUERIES[question]).fetchone()


def _journal_mode(path: Path) -> str:
    with closing(connect_read_only(path)) as connection:
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
