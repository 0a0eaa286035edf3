"""The table in the application's database that says what each row of its session store holds."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.core.sql import ident
from migrator.legacy.connect import compose, open_database, wrapped
from migrator.legacy.identity import TABLES
from migrator.legacy.session_rows import SessionRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrator.legacy.connection import Connection

APPLICATION_NAME = "migrator drain census"
TABLE = TABLES[6]
MAY_HOLD = (1, 3)
FEW_ROWS = 10_000
TIDY_LIMIT_S = 3600.0


class Counts(NamedTuple):
    """Rows that are alike, or a correction; hours as in `Counted`."""

    holds: int
    used_hour: int | None
    rows: int


class Counted(NamedTuple):
    """What a row holds.

    Attributes:
        holds: 0 nobody, 1 a user, 2 another model's user, 3 cannot be read.
        used_hour: When the row was last written to, hours since 1970.
    """

    session_id: int
    holds: int
    user_pk: str | None
    used_hour: int | None


@contextmanager
def open_census(
    dsn: str, *, users: str, sessions: str, limit_s: float, read_only: bool
) -> Iterator[CensusTable]:
    """Connect to the application's database under a name of its own.

    Args:
        dsn: The application's database.
        users: The users table, beside which ours is.
        sessions: The session table, which is only read.
        limit_s: How long each statement may take, seconds.
        read_only: The server itself refuses writes on this connection.

    Raises:
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    with open_database(dsn, read_only=read_only, name=APPLICATION_NAME) as connection:
        connection.limit(limit_s)
        yield CensusTable(connection, schema=connection.place(users)[0], sessions=sessions)


class CensusTable:
    """Reads and writes `migrator_session`; each call is one transaction."""

    def __init__(self, connection: Connection, *, schema: str, sessions: str) -> None:
        self._connection = connection
        self._queries = connection.queries("session_census.sql")
        self._place = {"schema": schema, "name": TABLE}
        self._parts = {
            "census": ident(schema, TABLE),
            "table": ident(TABLE),
            "counts_index": ident(schema, f"{TABLE}_counts"),
            "holders_index": ident(schema, f"{TABLE}_holders"),
            "sessions": ident(*connection.place(sessions)),
        }

    def exists(self) -> bool:
        """Tell whether the table is there."""
        return bool(self._ask("exists", table=self._parts["census"], **self._place)[0][0])

    def create(self) -> None:
        """Create the table."""
        with wrapped(f"creating {TABLE}"), self._connection.transaction():
            for name in ("create", "create_counts", "create_holders"):
                self._connection.execute(self._query(name), {})

    def clear(self) -> None:
        """Forget all rows."""
        self._tell("clear")

    def write(self, counted: Sequence[Counted]) -> None:
        """Write what rows hold; what is there already is not written again."""
        ids, holds, users, hours = map(list, zip(*counted, strict=True))
        self._tell(
            "write", ids=ids, holds=holds, users=users, hours=hours, records=json.dumps(counted)
        )

    def last(self, after: int, *, rows: int) -> int | None:
        """Give the key up to which a part of that many rows goes, None after the last row."""
        found = self._ask("last", after=after, rows=rows)[0][0]
        return None if found is None else int(found)

    def drop_gone(self, after: int, last: int) -> None:
        """Forget rows between two keys that the session store has no more."""
        self._tell("drop_gone", after=after, last=last)

    def missed(self, after: int, last: int, *, rows: int) -> list[SessionRow]:
        """Give rows of the session store between two keys that the census does not know."""
        return [SessionRow(*row) for row in self._ask("missed", after=after, last=last, rows=rows)]

    def counts(self, *, without: Sequence[int]) -> list[Counts]:
        """Count by what rows hold, those with a user by the hour of the last use; one snapshot.

        Where few may hold a user, those that the session store has no more are left out.

        Args:
            without: Keys of rows that are not to count.
        """
        with wrapped(f"reading {TABLE}"), self._connection.transaction():
            self._connection.execute(self._query("one_snapshot"), {})
            found = self._counts("counts")
            if without:
                found += _negative(self._counts("counts_of", ids=list(without)))
            if sum(each.rows for each in found if each.holds in MAY_HOLD) <= FEW_ROWS:
                found += _negative(self._counts("counts_of_gone"))
        return found

    def _counts(self, name: str, **params: Any) -> list[Counts]:
        return [Counts(*row) for row in self._connection.execute(self._query(name), params)]

    def holders(self, *, after: str, rows: int) -> list[tuple[str, int, int | None]]:
        """Give (user, number, hour of the last use) of users whose keys follow."""
        found = self._ask("holders", after=after, rows=rows)
        return [(user, count, hour) for user, count, hour in found]

    def tidy(self) -> None:
        """Let counts be read from the index alone; takes its time."""
        self._connection.limit(TIDY_LIMIT_S)
        self._tell("tidy")

    def _query(self, name: str) -> Any:
        return compose(self._queries[name], **self._parts)

    def _ask(self, name: str, /, **params: Any) -> list[tuple[Any, ...]]:
        with wrapped(f"reading {TABLE}"):
            return self._connection.execute(self._query(name), params).fetchall()

    def _tell(self, name: str, /, **params: Any) -> None:
        with wrapped(f"writing {TABLE}"):
            self._connection.execute(self._query(name), params)


def _negative(counts: list[Counts]) -> list[Counts]:
    return [each._replace(rows=-each.rows) for each in counts]
