"""Who is left on the legacy path, as the application's database and our own tables know it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.core.sql import ident
from migrator.legacy.connect import compose, open_database, wrapped
from migrator.legacy.identity import TABLES
from migrator.legacy.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from migrator.config.model import LegacySection
    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.connection import Connection

APPLICATION_NAME = "migrator drain who"
_SINCE, _TOKEN = "remember_created_at", "remember_token"


class LeftRow(NamedTuple):
    """A user who is left.

    Attributes:
        detail: Why, where a reason is kept.
        at: When that was last seen, or began; None where that is unknown.
    """

    pk: str
    detail: str | None
    at: datetime | None


@contextmanager
def open_left(dsn: str, settings: LegacySection, *, limit_s: float) -> Iterator[LeftTables]:
    """Connect to the application's database, read-only, under a name of its own.

    Args:
        dsn: The application's database.
        settings: `[legacy]` of migrator.toml.
        limit_s: How long each statement may take, seconds.

    Raises:
        UsageError: A table or column is missing.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    with open_source(dsn, settings) as source:
        columns = source.columns
    with open_database(dsn, name=APPLICATION_NAME) as connection:
        connection.limit(limit_s)
        yield LeftTables(connection, columns, source=settings.model)


class LeftTables:
    """Asks for users page by page; each call is one statement."""

    def __init__(self, connection: Connection, columns: DeviseColumns, *, source: str) -> None:
        self._connection = connection
        self._columns = columns
        self._source = source
        self._queries = connection.queries("left.sql")

    @property
    def remembers(self) -> bool:
        """Whether the users table shows who was remembered."""
        return bool({_SINCE, _TOKEN} & self._columns.table.columns.keys())

    def pinned(self, *, after: str, rows: int) -> list[LeftRow]:
        """Give users whom the import pinned to the legacy path."""
        return self._page("pinned", after=after, rows=rows)

    def recent(self, *, since: datetime, after: str, rows: int) -> list[LeftRow]:
        """Give users whom a shim saw on the legacy path since a moment."""
        return self._page("recent", since=since, after=after, rows=rows)

    def remembered(self, *, after: str, rows: int) -> list[LeftRow]:
        """Give users of whom a remember-me token may be out there."""
        beyond = "TRUE" if not after else self._queries["beyond"]
        return self._page("remembered", {"beyond": beyond}, after=after, rows=rows)

    def count_remembered(self, *, since: datetime) -> tuple[int, int]:
        """Count them, and those who were first remembered since a moment.

        Devise notes when a user was remembered first, not last: the newest token may be younger.
        """
        ((count, recent),) = self._ask("count_remembered", since=since)
        return int(count), int(recent)

    def addresses(self, pks: Sequence[str]) -> dict[str, str]:
        """Give the e-mail addresses of users by key."""
        return dict(self._ask("addresses", pks=list(pks))) if pks else {}

    def _page(
        self, name: str, parts: dict[str, str] | None = None, **params: Any
    ) -> list[LeftRow]:
        return [LeftRow(*row) for row in self._ask(name, parts, **params)]

    def _ask(
        self, name: str, parts: dict[str, str] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        text = self._queries[name]
        for part, fragment in {**(parts or {}), "remembered": self._remembered()}.items():
            text = text.replace(f"{{{part}}}", fragment)
        table, there = self._columns.table, self._columns.table.columns
        query = compose(
            text,
            identity=ident(table.schema, TABLES[0]),
            users=table.relation,
            id=ident(self._columns.parts["id"]),
            email=ident(self._columns.parts["email"]),
            key_type=self._columns.type_of("id"),
            token=ident(_TOKEN),
            at=ident(_SINCE) if _SINCE in there else self._queries["no_time"],
        )
        with wrapped("looking for who is left"):
            return self._connection.execute(query, {"source": self._source, **params}).fetchall()

    def _remembered(self) -> str:
        by_time = _SINCE in self._columns.table.columns
        return self._queries["has_time" if by_time else "has_token"]
