"""PostgreSQL's binary form of COPY, for a single row whose values are long."""

from __future__ import annotations

from struct import unpack_from
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.legacy.connection import Connection
    from migrator.legacy.copytext import Query

# The signature, four bytes of flags, and the length of what a later version may put behind it.
_EXTENSION_AT, _ROW_AT = 15, 19


def copy_row(connection: Connection, query: Query, params: Mapping[str, Any]) -> list[bytes]:
    """Run a COPY … TO STDOUT (FORMAT binary) of one row and give its values as bytes; NULL is empty."""
    with connection.turn, connection.cursor() as cursor, cursor.copy(query, params) as copy:
        body = b"".join(copy)
    at = _ROW_AT + unpack_from(">I", body, _EXTENSION_AT)[0]
    (fields,) = unpack_from(">h", body, at)
    at += 2
    values = []
    for _ in range(fields):
        (length,) = unpack_from(">i", body, at)
        at += 4
        values.append(body[at : at + max(length, 0)])
        at += max(length, 0)
    return values
