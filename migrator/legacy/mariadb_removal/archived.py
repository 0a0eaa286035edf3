"""Takes tables out of MariaDB in the text form of COPY and brings them back, compared by one digest."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from migrator.core.errors import RefusedError
from migrator.core.lines import lines_of
from migrator.core.mariadb import as_text, digest, from_text
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.archived import Copying, Digest, definition, names_of, order_by
from migrator.legacy.connect import compose
from migrator.legacy.copytext import dump, parse
from migrator.legacy.mariadb_removal.catalog import rows as ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from migrator.legacy.copytext import Row
    from migrator.legacy.mariadb.connection import MariaDbConnection

_BATCH_ROWS = 500
# A table of this session only, gone with it; and the place of a row in it.
WISH = ident("migrator_wish")
PLACE = ("migrator_place", "bigint", "")


class MariaDbCopying(Copying):
    """The same on MariaDB; `make` ends the transaction that it is called in and begins another one."""

    def __init__(self, connection: MariaDbConnection) -> None:
        self._server = connection

    def digest(self, table: tuple[str, str], columns: Sequence[str]) -> Digest:
        """Count a table's rows and hash them.

        Raises:
            RefusedError: The server cuts off what it hashes.
        """
        types = self._types(table)
        query = digest(ident(*table), [(name, types[name]) for name in columns])
        found = self._server.rows(compose("{query}", query=query), {})[0]
        if found["cut"]:
            raise RefusedError(
                f"{'.'.join(table)} is too long for a checksum",
                hint="raise max_allowed_packet of the server, then the same again",
            )
        return Digest(int(found["rows"]), found["sha256"])

    def rows(
        self, table: tuple[str, str], columns: Sequence[str], key: Sequence[str]
    ) -> Iterator[bytes]:
        """Give all rows as COPY text, in the order of the key where there is one."""
        types = self._types(table)
        fields = ", ".join(as_text(name, types[name]) for name in columns)
        query = self._query("rows", columns=fields, table=ident(*table), order=order_by(key, "t."))
        for page in _pages(self._server.stream(query)):
            yield dump(page)

    def fill(self, table: tuple[str, str], columns: Sequence[str], rows: Iterable[bytes]) -> None:
        """Write rows of COPY text into a table."""
        types = self._types(table)
        lines = (line.decode("utf-8", "surrogateescape") for line in lines_of(rows))
        for page in _pages(lines):
            self._insert(ident(*table), [(name, types[name]) for name in columns], parse(page))

    def comparable(
        self, definitions: Sequence[tuple[str, str, str]], rows: Sequence[Row]
    ) -> Sequence[Row]:
        """Give values as texts that are the same where their collation says so: whatever case, accents or blanks they have."""
        if not any(collation for _, _, collation in definitions):
            return rows
        self._wish([*definitions, PLACE], [(*row, str(n)) for n, row in enumerate(rows)])
        weights = ", ".join(_weight(*column) for column in definitions)
        query = self._query("comparable", weights=weights, wish=WISH, place=ident(PLACE[0]))
        return [list(row) for row in self._server.execute(query)]

    def sequence_value(self, schema: str, name: str) -> dict[str, Any]:
        """Say where a table's AUTO_INCREMENT stands."""
        found = self._server.rows(_text("counter"), {"schema": schema, "name": name})[0]
        return {**found, "is_called": bool(found["is_called"])}

    def oid(self, table: tuple[str, str]) -> int:
        """Give InnoDB's number of a table."""
        schema, name = table
        return int(ask(self._server, "table_id", schema=schema, name=name)[0]["table_id"])

    def make(self, table: tuple[str, str], definitions: Sequence[tuple[str, str, str]]) -> None:
        """Make a table of nothing but columns; what an interrupted call left there goes."""
        self._server.execute(self._query("drop", table=ident(*table)))
        self._server.execute(
            self._query("make", table=ident(*table), definitions=described(definitions))
        )
        self._server.execute(self._server.begin)

    def _wish(
        self,
        definitions: Sequence[tuple[str, str, str]],
        rows: Iterable[Sequence[str | None]],
    ) -> None:
        """Put values into a table of this session, in columns like those that they are of."""
        self._server.execute(
            self._query("make_wish", table=WISH, definitions=described(definitions))
        )
        self._insert(WISH, [(name, kind) for name, kind, _ in definitions], rows)

    def _insert(
        self,
        table: str,
        columns: Sequence[tuple[str, str]],
        rows: Iterable[Sequence[str | None]],
    ) -> None:
        """Write values out of their text; `table` is quoted, `columns` are names and types."""
        # Names may hold a percent sign, which the driver would take for a place.
        query = _text("insert").format(
            table=_doubled(table),
            columns=_doubled(names_of([name for name, _ in columns])),
            places=", ".join(from_text(kind, "%s") for _, kind in columns),
        )
        self._server.insert(query, [tuple(row) for row in rows])

    def _types(self, table: tuple[str, str]) -> dict[str, str]:
        schema, name = table
        found = self._server.rows(_text("types"), {"schema": schema, "name": name})
        return {row["name"]: row["type"] for row in found}

    @staticmethod
    def _query(name: str, **parts: str) -> Any:
        return compose(_text(name), **parts)


def described(definitions: Sequence[tuple[str, str, str]]) -> str:
    """Give columns as a CREATE TABLE has them: name, type and collation of each."""
    return ", ".join(map(definition, definitions))


def _weight(name: str, kind: str, collation: str) -> str:
    if not collation:
        return as_text(name, kind)
    column = f"t.{ident(name)}"
    return f"HEX(WEIGHT_STRING({column if 'nopad' in collation else f'TRIM(TRAILING FROM {column})'}))"


def _text(name: str) -> str:
    return load("migrator.legacy.mariadb_removal", "archived.sql")[name]


def _pages(found: Iterator[Any]) -> Iterator[list[Any]]:
    while page := list(islice(found, _BATCH_ROWS)):
        yield page


def _doubled(part: str) -> str:
    return part.replace("%", "%%")
