"""Files with users: CSV and JSON Lines with our own columns, Auth0's and Firebase's exports.

What is wrong is said with the line, never with a value.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from migrator.core.errors import UsageError
from migrator.core.texts import storable
from migrator.legacy.file_user import TYPES, FileUser
from migrator.runner.importing.exports import of_auth0, of_firebase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_HINT = "mend the line, then load the file again; nothing was changed"
_FLAGS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
Record = tuple[str, "Mapping[str, Any]"]


def users_of(file: IO[bytes], *, form: str) -> Iterator[FileUser]:
    """Read users.

    Args:
        file: Its bytes, read once.
        form: A key of `FORMS`.

    Raises:
        UsageError: A line cannot be read or lacks an id; the message says which and why.
    """
    read, adapt = FORMS[form]
    for where, record in read(file):
        values, identities = adapt(record, where)
        yield FileUser(_checked(values, where), identities)


def _fault(where: str, what: str) -> UsageError:
    return UsageError(f"{where}: {what}", hint=_HINT)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file, start=1):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise _fault(f"line {number}", "is not UTF-8") from None


def _read_csv(file: IO[bytes]) -> Iterator[Record]:
    # A blank in a quoted field is part of it; an unclosed quote is an error, not a long field.
    rows = csv.reader((line for _, line in _lines(file)), strict=True)
    header: list[str] = []
    while True:
        where = f"line {rows.line_num + 1}"
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise _fault(where, f"is no CSV: {error}") from None
        if row is None:
            return
        if not row:
            continue
        if not header:
            header = _header(row)
        elif len(row) != len(header):
            raise _fault(where, f"has {len(row)} fields, the header {len(header)}")
        else:
            yield where, {n: text or None for n, text in zip(header, row, strict=True)}


def _header(row: list[str]) -> list[str]:
    for name in row:
        if name not in TYPES:
            # A file without a header must not show its first user.
            raise _fault(
                "line 1",
                f"is a header with other names than: {', '.join(TYPES)} (no others may be)",
            )
    if len(set(row)) < len(row):
        raise _fault("line 1", "names a column twice")
    return row


def _read_json_lines(file: IO[bytes]) -> Iterator[Record]:
    for number, line in _lines(file):
        if line.strip():
            yield f"line {number}", _object(line, f"line {number}")


def _read_firebase(file: IO[bytes]) -> Iterator[Record]:
    text = "".join(line for _, line in _lines(file))
    users = _object(text, "the file").get("users")
    if not isinstance(users, list):
        raise _fault("the file", "has no list of users")
    for number, user in enumerate(users):
        if not isinstance(user, dict):
            raise _fault(f"users[{number}]", "is no object")
        yield f"users[{number}]", user


def _object(text: str, where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _fault(where, "is no JSON") from None
    if not isinstance(found, dict):
        raise _fault(where, "is no object")
    return found


def _own(record: Mapping[str, Any], where: str) -> tuple[dict[str, Any], tuple[()]]:
    unknown = sorted(name for name in record if name not in TYPES)
    if unknown:
        said = unknown[0] if unknown[0].isidentifier() else "a name"
        raise _fault(where, f"gives {said}, which is not one of: {', '.join(TYPES)}")
    return dict(record), ()


def _checked(values: dict[str, Any], where: str) -> dict[str, Any]:
    made = {name: _value(name, value, where) for name, value in values.items()}
    if not made.get("id"):
        raise _fault(where, "has no id")
    return made


def _value(name: str, value: object, where: str) -> object:
    if value is None:
        return None
    made = _READERS[TYPES[name]](value)
    if made is None:
        raise _fault(where, f"{name} is not {_WANTED[TYPES[name]]}")
    return made


def _text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and storable(value) else None


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else _FLAGS.get(str(value).lower())


def _list(value: object) -> list[str] | None:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list):
        return None
    made = [_text(name) for name in names]
    return None if None in made else [name.strip() for name in made if name]


_READERS: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "timestamp with time zone": _time,
    "boolean": _flag,
    "text[]": _list,
}
_WANTED = {
    "text": "a text that can be stored",
    "timestamp with time zone": "an ISO 8601 time (without an offset it is UTC)",
    "boolean": "true or false",
    "text[]": "a list of names",
}
# How each format is split into records, and what its records say.
FORMS: Mapping[str, tuple[Callable[..., Iterator[Record]], Callable[..., Any]]] = {
    "csv": (_read_csv, _own),
    "jsonl": (_read_json_lines, _own),
    "auth0": (_read_json_lines, of_auth0),
    "firebase": (_read_firebase, of_firebase),
}
