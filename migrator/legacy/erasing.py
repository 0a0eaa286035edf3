"""Deletes rows that are archived, within one transaction that may write past the write-block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import DataError

from migrator.core.errors import UsageError
from migrator.core.sql import ident, literal
from migrator.legacy.archived import Copying, Digest, fields_of, names_of, order_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from migrator.legacy.copytext import Row
    from migrator.legacy.guard import ChunkKeys

Key = tuple[str, ...]


@dataclass(frozen=True)
class Archived:
    """A table whose rows are archived.

    Attributes:
        place: Schema and name now.
        columns: The archived columns' names now, in the archive's order.
        key: The primary key's columns.
        definitions: Name, type and collation of each archived column, under the archive's names.
        hashes: The table with a hash per archived row, quoted; empty where all of the table is archived.
        blanks: Where the table stays, columns and SQL for what stands in them once a row is erased.
    """

    place: tuple[str, str]
    columns: tuple[str, ...]
    key: tuple[str, ...]
    definitions: tuple[tuple[str, str, str], ...]
    hashes: str = ""
    blanks: tuple[tuple[str, str], ...] = ()

    def defined(self, columns: Sequence[str]) -> list[tuple[str, str, str]]:
        """Give the definitions of some columns, in their order."""
        return [next(d for d in self.definitions if d[0] == column) for column in columns]


@dataclass(frozen=True)
class Tie:
    """A foreign key through which a row's end is felt in other rows, or forbidden.

    Attributes:
        table: Schema and name, now, of the table that has the key.
        action: Such as `ON DELETE CASCADE`.
        targets: What its columns point to, in their order.
    """

    table: tuple[str, str]
    constraint: str
    action: str
    columns: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def refuses(self) -> bool:
        """Whether it forbids the row's end, instead of changing other rows."""
        return self.action.endswith(("RESTRICT", "NO ACTION"))

    @property
    def points(self) -> str:
        """The condition that a row of `k` points to one of `t`."""
        pairs = zip(self.columns, self.targets, strict=True)
        return " AND ".join(f"t.{ident(target)} = k.{ident(column)}" for column, target in pairs)


def no_value(kind: str) -> UsageError:
    """Give what is said of a value that a type does not have."""
    return UsageError(f"a key is no {kind}", hint="write it as the database shows it")


def tie_of(row: dict[str, Any]) -> Tie:
    """Make a key of what the catalog says of it."""
    return Tie(
        table=(row["schema"], row["name"]),
        constraint=row["constraint"],
        action=row["action"],
        columns=tuple(row["columns"]),
        targets=tuple(row["targets"]),
    )


def same(columns: Sequence[str], alias: str) -> str:
    """Give the condition that these columns of the table `t` are those of another one."""
    return " AND ".join(f"t.{ident(name)} = {alias}.{ident(name)}" for name in columns)


class Erasing(Copying):
    """Finds and deletes rows of one table.

    Args:
        connection: In a transaction.
        table: Whose rows.
        encoding: Of COPY text.
    """

    def __init__(self, connection: Connection[Any], table: Archived, *, encoding: str) -> None:
        super().__init__(connection, encoding=encoding)
        self._table = table

    def tied(self, column: str, keys: Sequence[Key]) -> dict[Tie, int]:
        """Count, by foreign key, the other rows that point to these.

        Args:
            column: Whose values `keys` are; empty for the primary key.
            keys: Whose rows are to go.
        """
        counted = {tie: self._tied_rows(tie, column, keys) for tie in self._ties()}
        return {tie: rows for tie, rows in counted.items() if rows}

    def _ties(self) -> list[Tie]:
        stays, blanked = bool(self._table.hashes), {column for column, _ in self._table.blanks}
        found = self._all("ties", {"table": ident(*self._table.place), "stays": stays})
        return [
            tie for tie in map(tie_of, found) if not stays or blanked.intersection(tie.targets)
        ]

    def _tied_rows(self, tie: Tie, column: str, keys: Sequence[Key]) -> int:
        return int(
            self._row(
                "tied_rows",
                table=ident(*self._table.place),
                chosen=self._chosen(column, keys),
                other=ident(*tie.table),
                points=tie.points,
            )["rows"]
        )

    def as_written(self, column: str, values: Sequence[str]) -> tuple[str, ...]:
        """Give values of a column as the archive's files have them, e.g. `07` as `7`.

        Raises:
            UsageError: One is no value of its type.
        """
        ((_, kind, _),) = self._table.defined([column])
        wrong = no_value(kind)
        bare = self._all("bare_type", {"kind": kind})
        if not bare:  # Dropped since the purge: its values were names, as those of an enum.
            return tuple(values)
        try:
            found = self._all(
                "as_written", {"values": list(values)}, kind=kind, bare=bare[0]["name"]
            )
        except DataError:
            raise wrong from None
        if not all(value["fits"] for value in found):
            raise wrong
        return tuple(value["text"] for value in found)

    def keys(self, column: str, values: Sequence[str]) -> tuple[Key, ...]:
        """Give the primary keys of rows with such a value, as text."""
        texts = ", ".join(f"t.{ident(name)}::text" for name in self._table.key)
        found = self._all(
            "keys_of",
            {"values": list(values)},
            key_texts=texts,
            table=ident(*self._table.place),
            column=ident(column),
        )
        return tuple(tuple(row["key"]) for row in found)

    def listed(self, columns: Sequence[str], keys: Sequence[Key]) -> Sequence[Row]:
        """Give values of columns as an erasure list has them."""
        return self.comparable(self._table.defined(columns), [list(key) for key in keys])

    def holds(self, chunk: ChunkKeys, keys: Sequence[Key]) -> bool:
        """Tell whether one of these keys lies between a chunk's ends."""
        found = self._all(
            "within",
            {},
            keys=self._listed(keys),
            names=names_of(self._table.key),
            table=ident(*self._table.place),
            first=self._typed(chunk.first_key),
            last=self._typed(chunk.last_key),
        )
        return bool(found[0]["found"])

    def changed_rows(self) -> int:
        """Count the archived rows that are still there and not as they were."""
        found = self._all(
            "changed_rows",
            {},
            hashes=self._table.hashes,
            table=ident(*self._table.place),
            same_key=self._same_key("h"),
            fields=fields_of(self._table.columns),
        )
        return int(found[0]["rows"])

    def delete(self, keys: Sequence[Key]) -> int:
        """Delete rows by primary key; where the table stays, their archived columns are blanked."""
        parts = {
            "table": ident(*self._table.place),
            "keys": self._listed(keys),
            "names": names_of(self._table.key),
            "same_key": self._same_key("k"),
        }
        if not self._table.hashes:
            return self._count("delete_keys", {}, **parts)
        blanks = ", ".join(f"{ident(column)} = {value}" for column, value in self._table.blanks)
        done = self._count("blank_keys", {}, blanks=blanks, **parts)
        return max(done, self._count("delete_keys", {}, **{**parts, "table": self._table.hashes}))

    def delete_by(self, column: str, values: Sequence[str]) -> int:
        """Delete rows of a table without a primary key."""
        return self._count(
            "delete_rows",
            {"values": list(values)},
            table=ident(*self._table.place),
            column=ident(column),
        )

    def chunk_rows(self, chunk: ChunkKeys) -> Iterator[bytes]:
        """Give what is left of a chunk's rows, as COPY text."""
        key = names_of(self._table.key, "t.")
        parts = {
            "columns": names_of(self._table.columns, "t."),
            "table": ident(*self._table.place),
            "key": key,
            "first": self._typed(chunk.first_key),
            "last": self._typed(chunk.last_key),
            "order": order_by(self._table.key, "t."),
            "encoding": self._encoding,
        }
        if not self._table.hashes:
            return self._out(self._copy("copy_range", **parts))
        more = {"hashes": self._table.hashes, "same_key": self._same_key("h")}
        return self._out(self._copy("copy_archived", **parts, **more))

    def forget_gone(self, chunk: ChunkKeys) -> None:
        """Forget the hashes of rows that went with their user meanwhile: the renewed chunk lacks them."""
        if self._table.hashes:
            self._do(
                "forget_gone",
                hashes=self._table.hashes,
                table=ident(*self._table.place),
                key=names_of(self._table.key, "h."),
                first=self._typed(chunk.first_key),
                last=self._typed(chunk.last_key),
                same_key=self._same_key("h"),
            )

    def content(self) -> Digest:
        """Count and hash what the archive has to hold now."""
        if self._table.hashes:
            return Digest(**self._row("digest_of_hashes", hashes=self._table.hashes))
        return self.digest(self._table.place, self._table.columns)

    def _chosen(self, column: str, keys: Sequence[Key]) -> str:
        if not column:
            return f"({names_of(self._table.key, 't.')}) IN (VALUES {self._listed(keys)})"
        values = ", ".join(literal(value) for (value,) in keys)
        return f"format('%s', t.{ident(column)}) IN ({values})"

    def _listed(self, keys: Sequence[Key]) -> str:
        return ", ".join(f"({self._typed(key)})" for key in keys)

    def _typed(self, key: Sequence[str]) -> str:
        return ", ".join(
            f"{literal(text)}::{kind}"
            for text, (_, kind, _) in zip(key, self._table.defined(self._table.key), strict=True)
        )

    def _same_key(self, alias: str) -> str:
        return same(self._table.key, alias)

    def _all(self, name: str, values: dict[str, Any], **parts: str) -> list[dict[str, Any]]:
        with self._rows_as_dicts() as cursor:
            return cursor.execute(self._composed(name, **parts), values).fetchall()

    def _count(self, name: str, values: dict[str, Any], **parts: str) -> int:
        return self._connection.execute(self._composed(name, **parts), values).rowcount
