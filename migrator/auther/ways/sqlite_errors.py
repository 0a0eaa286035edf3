"""SQLite's errors, said once in words that an operator can act on."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.core.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRIMARY = 0xFF
_AGAIN = "nothing of this page was written; run the same command again"
_SAID = {
    sqlite3.SQLITE_BUSY: (
        "another process writes to it",
        f'stop Auther, or set kind = "endpoint" under [auther]; {_AGAIN}',
    ),
    sqlite3.SQLITE_LOCKED: (
        "another process writes to it",
        f'stop Auther, or set kind = "endpoint" under [auther]; {_AGAIN}',
    ),
    sqlite3.SQLITE_FULL: ("the disk is full", f"make room; {_AGAIN}"),
    sqlite3.SQLITE_IOERR: (
        "the disk does not take more (full, over a limit, or failing)",
        f"make room or look at the disk; {_AGAIN}",
    ),
    sqlite3.SQLITE_READONLY: ("it may not be written", "check the file's owner and mode"),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "check the folder, its owner and mode"),
    sqlite3.SQLITE_NOTADB: (
        "it is not a SQLite database",
        "point auther.database in migrator.toml at another file",
    ),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", "restore it from a copy"),
}


@contextmanager
def wrapped(path: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into one that says what to do.

    Raises:
        DependencyError: The block failed; a transaction in it was rolled back.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _say(path, error) from error
    except OSError as error:
        raise DependencyError(
            f"{path.name}: {error.strerror}", hint="check the folder, its owner and the disk"
        ) from error


def words(code: int, otherwise: str) -> tuple[str, str]:
    """Say what an error of SQLite's means and what to do.

    Args:
        code: SQLite's number for it, extended or not; 0 when it is not known.
        otherwise: What the database itself says.
    """
    return _SAID.get(code & _PRIMARY, (otherwise, _AGAIN))


def _say(path: Path, error: sqlite3.Error) -> DependencyError:
    what, hint = words(getattr(error, "sqlite_errorcode", 0), str(error))
    return DependencyError(f"Auther's database {path.name}: {what}", hint=hint)
