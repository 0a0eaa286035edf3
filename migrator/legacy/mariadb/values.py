"""How values travel to and from MariaDB, and what its errors are called elsewhere."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from psycopg import errors
from pymysql import converters, err
from pymysql.constants import FIELD_TYPE

from migrator.legacy.rows import NOT_STORABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BY_CODE: dict[int, type[errors.Error]] = {
    1062: errors.UniqueViolation,
    1205: errors.LockNotAvailable,
    1213: errors.DeadlockDetected,
    1020: errors.SerializationFailure,
    1969: errors.QueryCanceled,
    1292: errors.DataError,
    4025: errors.CheckViolation,
    1644: errors.RaiseException,
    **dict.fromkeys((1044, 1142, 1143, 1227, 1370, 1410), errors.InsufficientPrivilege),
}
_BY_CLASS: dict[type[err.Error], type[errors.Error]] = {
    err.IntegrityError: errors.IntegrityError,
    err.DataError: errors.DataError,
    err.ProgrammingError: errors.ProgrammingError,
    err.NotSupportedError: errors.NotSupportedError,
    err.InternalError: errors.InternalError,
}
# `Duplicate entry 'ada@example.com' for key 'email'`, `Incorrect datetime value: '…' for column …`
_QUOTED_VALUE = re.compile(r"(entry|value:?) '.*' (for|at) ", re.DOTALL)


@contextmanager
def translated() -> Iterator[None]:
    """Raise psycopg's errors in place of PyMySQL's; values of rows are left out of messages."""
    try:
        yield
    except err.Error as error:
        code, text = (error.args[0], str(error.args[-1])) if error.args else (0, "")
        kind = _BY_CODE.get(code) or _BY_CLASS.get(type(error), errors.OperationalError)
        raise kind(_QUOTED_VALUE.sub(r"\1 \2 ", text)) from error
    except UnicodeEncodeError as error:
        raise errors.DataError(NOT_STORABLE) from error


def parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give parameters as PyMySQL takes them: lists stand behind IN, times are in UTC."""
    return {name: _parameter(value) for name, value in given.items()}


def _parameter(value: Any) -> Any:
    if isinstance(value, list):
        # Nothing is equal to NULL.
        return value or [None]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.total_seconds() if isinstance(value, timedelta) else value


def _read_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None  # A zero date.


def _read_number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


CONVERSIONS: dict[Any, Any] = {
    **converters.conversions,
    FIELD_TYPE.DATETIME: _read_time,
    FIELD_TYPE.TIMESTAMP: _read_time,
    FIELD_TYPE.NEWDECIMAL: _read_number,
}
