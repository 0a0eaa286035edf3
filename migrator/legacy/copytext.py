"""PostgreSQL's text form of COPY, read a page at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from psycopg import sql

    from migrator.legacy.connection import Connection

Row = list[str | None]
_NULL = r"\N"
Query: TypeAlias = "sql.Composed | bytes"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_TO_ESCAPE = str.maketrans({plain: f"\\{letter}" for letter, plain in _ESCAPED.items()})


def copy_lines(
    connection: Connection, query: Query, params: Mapping[str, Any] | None = None
) -> list[str]:
    """Run a COPY … TO STDOUT and give its lines without their ends.

    A database that is not in UTF-8 may hold bytes that are no text; they come as lone
    surrogates, which no target can store and the mapping refuses.
    """
    with connection.turn, connection.cursor() as cursor, cursor.copy(query, params or {}) as copy:
        text = b"".join(copy).decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    lines.pop()
    return lines


def copy_rows(
    connection: Connection, query: Query, params: Mapping[str, Any] | None = None
) -> list[Row]:
    """Run a COPY … TO STDOUT and give all its rows; NULL is None."""
    return parse(copy_lines(connection, query, params))


def parse(lines: Iterable[str]) -> list[Row]:
    """Read lines of COPY text."""
    return [
        line.split("\t")  # type: ignore[misc]
        if "\\" not in line
        else [
            field if "\\" not in field else None if field == _NULL else _ESCAPE.sub(_plain, field)
            for field in line.split("\t")
        ]
        for line in lines
    ]


def _plain(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[1])


def dump(rows: Iterable[Iterable[str | None]]) -> bytes:
    """Write rows for COPY … FROM STDIN."""
    return "".join(["\t".join([_escaped(field) for field in row]) + "\n" for row in rows]).encode(
        "utf-8", "surrogateescape"
    )


def _escaped(field: str | None) -> str:
    if field is None:
        return _NULL
    return field if field.isalnum() else field.translate(_TO_ESCAPE)
