"""Reads an application's table of sessions; nothing is ever written there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.core.errors import UsageError
from migrator.core.sql import ident
from migrator.legacy.changes import horizon_of
from migrator.legacy.connect import compose, describe_table, open_database, wrapped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime, timedelta

    from migrator.legacy.changes import Horizon
    from migrator.legacy.connection import Connection
    from migrator.legacy.interface import TableShape

APPLICATION_NAME = "migrator drain sessions"
KEY = "legacy.sessions_table"
BEFORE_ALL, LARGEST_KEY = -1, 2**63 - 1
_WITHOUT_ZONE = "timestamp without time zone"


class SessionRow(NamedTuple):
    """A row of activerecord-session_store.

    Attributes:
        data: Base64 of Marshal, or JSON.
        updated_at: As the application wrote it: UTC where it says no zone.
    """

    id: int
    data: str | bytes | None
    updated_at: datetime | None


@contextmanager
def open_session_rows(
    dsn: str, table: str, *, needed: Collection[str], limit_s: float
) -> Iterator[SessionRows]:
    """Connect to the application's database, read-only, under a name of its own.

    Args:
        dsn: The application's database.
        table: `schema.table`, as in migrator.toml.
        needed: Columns that the table has to have.
        limit_s: How long each statement may take, seconds.

    Raises:
        UsageError: There is no such table, or it lacks a column.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    with open_database(dsn, name=APPLICATION_NAME) as connection:
        connection.limit(limit_s)
        shape = describe_table(connection, table, key=KEY)
        missing = [name for name in needed if name not in shape.columns]
        if missing:
            raise UsageError(
                f"{shape} has no column {', '.join(missing)}",
                hint=f"set legacy.session_store and {KEY} in migrator.toml",
            )
        yield SessionRows(connection, shape)


class SessionRows:
    """Asks one table, in pages that are statements of their own."""

    def __init__(self, connection: Connection, table: TableShape) -> None:
        self._connection = connection
        self._table = table
        self._queries = connection.queries("session_rows.sql")

    def estimate(self) -> int | None:
        """Give the database's own idea of the number of rows, None without one."""
        place = {"schema": self._table.schema, "table": self._table.name}
        rows = self.ask("estimate", **place)
        return int(rows[0][0]) if rows and rows[0][0] is not None else None

    def mark(self) -> tuple[str, str]:
        """Name where the table is, and what changes when it is made anew."""
        names = {"schema": self._table.schema, "table": self._table.name}
        ((place, made),) = self.ask("mark", **names, relation=self._table.relation)
        return f"{place} {self._table}", str(made)

    def written_at(self) -> datetime | None:
        """Give when a row was written last, None without any; quick by an index on `updated_at`."""
        found: datetime | None = self.ask("written_at")[0][0]
        return found

    def horizon(self, *, unseen_for: timedelta) -> Horizon:
        """Look which transactions are open, as `horizon_of` does."""
        return horizon_of(self._connection, unseen_for=unseen_for)

    def page(self, after: int, *, rows: int) -> list[SessionRow]:
        """Give the rows whose keys follow, `BEFORE_ALL` for the first."""
        return [SessionRow(*row) for row in self.ask("rows", after=after, rows=rows)]

    def changed(
        self, since: datetime, after: int, *, rows: int, up_to: int = LARGEST_KEY
    ) -> list[SessionRow]:
        """Give rows written since a moment whose keys follow, up to one."""
        reach = {"since": since, "after": after, "up_to": up_to, "rows": rows}
        found = self.ask("changed", self._since(), **reach)
        return [SessionRow(*row) for row in found]

    def count_beyond(self, after: int) -> int:
        """Count the rows whose keys follow."""
        return int(self.ask("count_beyond", after=after)[0][0])

    def count_changed(self, since: datetime, *, up_to: int = LARGEST_KEY) -> int:
        """Count the rows written since a moment, up to a key."""
        return int(self.ask("count_changed", self._since(), since=since, up_to=up_to)[0][0])

    def ask(
        self, name: str, parts: dict[str, str] | None = None, /, **params: Any
    ) -> list[tuple[Any, ...]]:
        """Ask a named question of session_rows.sql about the table."""
        place = ident(self._table.schema, self._table.name)
        query = compose(self._filled(name, parts or {}), sessions=place)
        with wrapped(f"reading {self._table}"):
            return self._connection.execute(query, params).fetchall()

    def _filled(self, name: str, parts: dict[str, str]) -> str:
        text = self._queries[name]
        for part, fragment in parts.items():
            text = text.replace(f"{{{part}}}", fragment)
        return text

    def _since(self) -> dict[str, str]:
        zone = self._table.columns["updated_at"] == _WITHOUT_ZONE
        return {"since": self._queries["since_without_zone" if zone else "since_with_zone"]}
