"""How values travel to and from SQLite, and what its errors are called elsewhere."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from psycopg import errors

from migrator.core.emails import normalise
from migrator.legacy.rows import NOT_STORABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# What no target can hold: such a user is refused by that name.
_NO_TIME = 2**63 - 1
# What Rails casts to false; '' is nothing.
_FALSE = frozenset({0, "0", "f", "F", "false", "FALSE", "off", "OFF"})
_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PRIMARY_CODE = 0xFF
_BY_CLASS: dict[type[sqlite3.Error], type[errors.Error]] = {
    sqlite3.IntegrityError: errors.IntegrityError,
    sqlite3.DataError: errors.DataError,
    sqlite3.ProgrammingError: errors.ProgrammingError,
    sqlite3.NotSupportedError: errors.NotSupportedError,
    sqlite3.InternalError: errors.InternalError,
}
_PARAMETER = re.compile(r"%\((\w+)\)s")
UTC_COLUMN = " [utc]"


@contextmanager
def translated() -> Iterator[None]:
    """Raise psycopg's errors in place of sqlite3's."""
    try:
        yield
    except sqlite3.Error as error:
        raise _kind(error)(str(error)) from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise errors.DataError(NOT_STORABLE) from error


def _kind(error: sqlite3.Error) -> type[errors.Error]:
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_INTERRUPT:
        return errors.QueryCanceled
    if code in _UNIQUE:
        return errors.UniqueViolation
    if code & _PRIMARY_CODE in _BUSY:
        return errors.LockNotAvailable
    return _BY_CLASS.get(type(error), errors.OperationalError)


@cache
def in_own_words(text: str) -> tuple[str, ...]:
    """Give the statements of a query with parameters as SQLite writes them."""
    written = _PARAMETER.sub(r":\1", text).replace("%%", "%")
    return tuple(part for part in written.split(";\n") if part.strip())


def parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give parameters as SQLite takes them: lists as JSON, times as Rails writes them."""
    return {name: _parameter(value) for name, value in given.items()}


def _parameter(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.total_seconds() if isinstance(value, timedelta) else value


def as_text(value: bytes) -> str:
    """Read a text; bytes that are none become lone surrogates."""
    return value.decode("utf-8", "surrogateescape")


def time_of(value: object) -> datetime | None:
    """Read a time as applications write it, in UTC unless it says otherwise.

    Raises:
        ValueError: It is no time.
    """
    if value is None or value == "":
        return None
    found = datetime.fromisoformat(str(value))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def milliseconds(value: object) -> int | None:
    """Give a time in Unix milliseconds; beyond every time for what is none."""
    try:
        found = None if isinstance(value, int | float) else time_of(value)
    except ValueError:
        return _NO_TIME
    if isinstance(value, int | float):
        return _NO_TIME
    return None if found is None else (found - _EPOCH) // _MILLISECOND


def flag(value: object) -> bool | None:
    """Read a flag as Rails does."""
    return None if value is None or value == "" else value not in _FALSE


def normal(value: object) -> str | None:
    """Give an address in normal form."""
    return normalise(value) if isinstance(value, str) else None


FUNCTIONS = {"migrator_ms": milliseconds, "migrator_flag": flag, "migrator_normal": normal}
