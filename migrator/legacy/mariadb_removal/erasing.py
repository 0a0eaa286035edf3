"""Deletes rows that are archived, out of MariaDB: what is sought stands in a table of the columns' own types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import DataError

from migrator.core.mariadb import as_text, is_binary, is_exact
from migrator.core.sql import ident
from migrator.legacy.erasing import Archived, Erasing, Key, no_value, same
from migrator.legacy.mariadb_removal.archived import PLACE, WISH, MariaDbCopying

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrator.legacy.mariadb.connection import MariaDbConnection

# What was said, compared byte by byte.
_SAID = ("migrator_said", "longtext", "utf8mb4_nopad_bin")


class MariaDbErasing(MariaDbCopying, Erasing):
    """The same on MariaDB, where the server compares as the columns say: by type, character set and collation."""

    def __init__(self, connection: MariaDbConnection, table: Archived) -> None:
        super().__init__(connection)
        self._table = table

    def tied(self) -> tuple[str, ...]:
        """Give tables with a foreign key to this one: a deletion would act on their rows, and pass triggers by."""
        schema, name = self._table.place
        found = self._server.rows(self._query("tied"), {"schema": schema, "name": name})
        return tuple(f"{row['schema']}.{row['name']}" for row in found)

    def as_written(self, column: str, values: Sequence[str]) -> tuple[str, ...]:
        """Give values of a column as the archive's files have them.

        Raises:
            UsageError: One is no value of its type, or would be rounded or cut.
        """
        (wanted,) = self._table.defined([column])
        name, kind, collation = wanted
        rows = [(value, value, str(place)) for place, value in enumerate(values)]
        try:
            self._wish([wanted, _SAID, PLACE], rows)
        except DataError:
            raise no_value(kind) from None
        query = self._query(
            "as_written",
            written=as_text(name, kind),
            fits=_fits(name, kind, collation),
            wish=WISH,
            place=ident(PLACE[0]),
        )
        found = self._server.rows(query, {})
        if not all(row["fits"] for row in found):
            raise no_value(kind)
        return tuple(row["text"] for row in found)

    def keys(self, column: str, values: Sequence[str]) -> tuple[Key, ...]:
        """Give the primary keys of rows with such a value, as text."""
        texts = (as_text(name, kind) for name, kind, _ in self._table.defined(self._table.key))
        self._wish(self._table.defined([column]), [(value,) for value in values])
        found = self._server.execute(self._sought("keys_of", [column], key_texts=", ".join(texts)))
        return tuple(tuple(row) for row in found)

    def delete(self, keys: Sequence[Key]) -> int:
        """Delete rows by primary key."""
        return self._delete(self._table.key, keys)

    def delete_by(self, column: str, values: Sequence[str]) -> int:
        """Delete rows of a table without a primary key."""
        return self._delete([column], [(value,) for value in values])

    def _delete(self, columns: Sequence[str], rows: Iterable[Key]) -> int:
        self._wish(self._table.defined(columns), rows)
        return self._server.execute(self._sought("delete_rows", columns)).rowcount

    def _sought(self, name: str, columns: Sequence[str], **parts: str) -> Any:
        return self._query(
            name,
            table=ident(*self._table.place),
            wish=WISH,
            same=same(columns, "k"),
            **parts,
        )


def _fits(name: str, kind: str, collation: str) -> str:
    """Give the condition that a value is what was said of it."""
    column, said = f"t.{ident(name)}", f"t.{ident(_SAID[0])}"
    if is_binary(kind):
        return f"HEX({column}) = UPPER({said})"
    if collation:
        return f"{as_text(name, kind)} COLLATE {_SAID[2]} = {said}"
    # Next to a text a number would be compared as a float.
    return f"{column} = " + (f"CAST({said} AS decimal(65, 30))" if is_exact(kind) else said)
