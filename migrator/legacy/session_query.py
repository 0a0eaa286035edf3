"""Asks for sessions through a SELECT that the operator wrote."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migrator.core.errors import UsageError
from migrator.core.sql import ident
from migrator.legacy.connect import compose, open_database, refuse_other_databases, wrapped
from migrator.legacy.session_rows import APPLICATION_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.legacy.connection import Connection

HOLDING, OWNER, USED_AT, ENDS_AT = "holding", "user_id", "used_at", "ends_at"
WRITTEN_AT = "written_at"
COUNTS = (HOLDING, "others", "anonymous", "undecodable", "endless")
_HINT = "edit query under [legacy.sessions] in migrator.toml; try the SELECT in psql"


@contextmanager
def open_session_query(dsn: str, query: str, *, limit_s: float) -> Iterator[SessionQuery]:
    """Connect to the application's PostgreSQL, read-only, under a name of its own.

    Args:
        dsn: The application's database.
        query: One SELECT without a semicolon.
        limit_s: How long each statement may take, seconds.

    Raises:
        UsageError: The SELECT gives neither counts nor sessions.
        RefusedError: It is another database.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    refuse_other_databases(dsn, doing="sessions by a SELECT")
    with open_database(dsn, name=APPLICATION_NAME) as connection:
        connection.limit(limit_s)
        yield SessionQuery(connection, query.strip().rstrip(";"))


class SessionQuery:
    """The SELECT: one row of counts, or a row for each session."""

    def __init__(self, connection: Connection, query: str) -> None:
        self._connection = connection
        self._queries = connection.queries("session_rows.sql")
        # The query's last line may be a comment.
        self._relation = f"(\n{query}\n)"
        self._columns = self._described()

    @property
    def counts(self) -> bool:
        """Whether it gives counts."""
        return HOLDING in self._columns

    def place(self) -> str:
        """Name the database that answers."""
        return str(self._ask("queried")[0][0])

    def counted(self) -> list[dict[str, Any]]:
        """Give the rows of counts, two at most: there has to be one."""
        names = self._columns
        return [dict(zip(names, row, strict=True)) for row in self._ask("counted")]

    def grouped(self) -> list[tuple[Any, ...]]:
        """Give (held by a user, hour of the last use, hour of the end, number, last use, last end)."""
        return self._ask("grouped")

    def held(self, *, after: str, rows: int) -> list[tuple[Any, ...]]:
        """Give (user, number, last use, last end) of the users whose keys follow."""
        return self._ask("held", after=after, rows=rows)

    def _described(self) -> list[str]:
        with wrapped("legacy.sessions.query"):
            query = compose(self._queries["described"], query=self._relation)
            found = self._connection.execute(query, {})
        names = [column.name for column in found.description or ()]
        if HOLDING not in names and OWNER not in names:
            given = ", ".join(names) or "nothing"
            raise UsageError(
                f"legacy.sessions.query gives {given}: neither the count `{HOLDING}` nor each session's"
                f" `{OWNER}`",
                hint=_HINT,
            )
        return names

    def _ask(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        parts = {
            column: ident(column) if column in self._columns else self._queries["no_time"]
            for column in (USED_AT, ENDS_AT)
        }
        query = compose(self._queries[name], query=self._relation, **parts)
        with wrapped("legacy.sessions.query"):
            return self._connection.execute(query, params).fetchall()
