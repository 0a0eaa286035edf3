"""Takes tables out of MariaDB in the text form of COPY and brings them back, compared by one digest."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from migrator.core.errors import RefusedError
from migrator.core.lines import lines_of
from migrator.core.mariadb import as_text, digest, from_text
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.archived import Copying, Digest, names_of, order_by
from migrator.legacy.connect import compose
from migrator.legacy.copytext import dump, parse
from migrator.legacy.mariadb_removal.catalog import rows as ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from migrator.legacy.mariadb.connection import MariaDbConnection

_BATCH_ROWS = 500


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
        # Names may hold a percent sign, which the driver would take for a place.
        query = _text("insert").format(
            table=_doubled(ident(*table)),
            columns=_doubled(names_of(columns)),
            places=", ".join(from_text(types[name], "%s") for name in columns),
        )
        lines = (line.decode("utf-8", "surrogateescape") for line in lines_of(rows))
        for page in _pages(lines):
            self._server.insert(query, [tuple(row) for row in parse(page)])

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
        described = ", ".join(
            f"{ident(name)} {kind}" + (f" COLLATE {collation}" if collation else "")
            for name, kind, collation in definitions
        )
        self._server.execute(self._query("make", table=ident(*table), definitions=described))
        self._server.execute(self._server.begin)

    def _types(self, table: tuple[str, str]) -> dict[str, str]:
        schema, name = table
        found = self._server.rows(_text("types"), {"schema": schema, "name": name})
        return {row["name"]: row["type"] for row in found}

    @staticmethod
    def _query(name: str, **parts: str) -> Any:
        return compose(_text(name), **parts)


def _text(name: str) -> str:
    return load("migrator.legacy.mariadb_removal", "archived.sql")[name]


def _pages(found: Iterator[Any]) -> Iterator[list[Any]]:
    while page := list(islice(found, _BATCH_ROWS)):
        yield page


def _doubled(part: str) -> str:
    return part.replace("%", "%%")
