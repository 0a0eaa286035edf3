"""Lists as PostgreSQL's arrays, where no element needs a quote: psycopg looks at each of thousands by itself."""

from __future__ import annotations

import re
from typing import Any

from psycopg.types.array import ListDumper

# A line for each element: keys, ids and plain addresses.
_PLAIN = re.compile(r"[0-9A-Za-z@._+-]+(?:\n[0-9A-Za-z@._+-]+)*")
_NULL = re.compile(r"^null$", re.IGNORECASE | re.MULTILINE)


class PlainListDumper(ListDumper):
    """Writes lists of plain texts or of whole numbers at once, and leaves all others to psycopg."""

    def dump(self, obj: list[Any]) -> Any:
        """Give the text of an array."""
        text = _lines(obj)
        if text.count("\n") != len(obj) - 1 or not _PLAIN.fullmatch(text) or _NULL.search(text):
            return super().dump(obj)
        return f"{{{text.replace(chr(10), self.delimiter.decode())}}}".encode()


def _lines(obj: list[Any]) -> str:
    kinds = set(map(type, obj))
    if kinds == {str}:
        return "\n".join(obj)
    return "\n".join(map(str, obj)) if kinds == {int} else ""
