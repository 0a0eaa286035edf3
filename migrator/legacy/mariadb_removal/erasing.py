"""Deletes rows that are archived, out of MariaDB: what is sought stands in a table of the columns' own types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import DataError

from migrator.core.mariadb import as_text, is_binary, is_exact
from migrator.core.sql import ident
from migrator.legacy.erasing import Archived, Erasing, Key, Tie, no_value, same, tie_of
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

    def _ties(self) -> list[Tie]:
        schema, name = self._table.place
        found = self._server.rows(self._query("ties"), {"schema": schema, "name": name})
        split = ({name: row[name].split("\0") for name in ("columns", "targets")} for row in found)
        return [tie_of({**row, **lists}) for row, lists in zip(found, split, strict=True)]

    def _tied_rows(self, tie: Tie, column: str, keys: Sequence[Key]) -> int:
        columns = [column] if column else self._table.key
        self._wish(self._table.defined(columns), keys)
        itself = tie.table == self._table.place
        query = self._query(
            "tied_rows_of_itself" if itself else "tied_rows",
            table=ident(*self._table.place),
            wish=WISH,
            same=same(columns, "w"),
            points=tie.points,
            **({"same_again": same(columns, "k")} if itself else {"other": ident(*tie.table)}),
        )
        return int(self._server.rows(query, {})[0]["rows"])

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
