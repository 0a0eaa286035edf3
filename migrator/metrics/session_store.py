"""Counts the sessions that hold a user in activerecord-session_store's table on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psycopg import Error, errors, sql

from migrator.config.postgres import connect
from migrator.core.durations import format_duration
from migrator.core.errors import MigratorError
from migrator.core.queries import load
from migrator.core.redact import scrub
from migrator.core.sql import ident, qualified
from migrator.metrics.interface import Doubt, Grade, SessionsLook
from migrator.metrics.session_data import Holds, holds

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    import psycopg

    from migrator.config.secrets import SecretRef
    from migrator.core.clock import Clock

APPLICATION_NAME = "migrator drain sessions"
PAGE_ROWS = 1000


@dataclass(frozen=True)
class ActiveRecordSessions:
    """The session table of a Rails application.

    Attributes:
        root: Folder that a `file:` reference starts from.
        table: `schema.table`.
        scope: Warden's scope of the migrated model.
        timeout: For each statement, and for the count as a whole.
    """

    dsn: SecretRef
    root: Path
    table: str
    scope: bytes
    timeout: timedelta
    clock: Clock

    def look(self) -> SessionsLook:
        """Read every row once; a count that ends early is at least what it says, and doubted."""
        counted: Counter[Holds] = Counter()
        used: Counter[datetime] = Counter()
        estimate: int | None = None
        doubts: list[Doubt] = []
        try:
            with connect(
                self.dsn,
                self.root,
                application_name=APPLICATION_NAME,
                statement_timeout=self.timeout,
            ) as connection:
                estimate = self._estimate(connection)
                doubts += self._count(connection, counted, used)
        except errors.QueryCanceled:
            doubts.append(self._too_slow(counted))
        except MigratorError as error:
            doubts.append(Doubt(Grade.ERROR, error.message))
        except Error as error:
            doubts.append(Doubt(Grade.ERROR, f"{self.table}: {_first_line(error)}"))
        return _look(counted, used, estimate, doubts)

    def _estimate(self, connection: psycopg.Connection) -> int | None:
        schema, table = qualified(self.table)
        query = load("migrator.metrics", "session_store.sql")["estimate"]
        row = connection.execute(query.encode(), {"schema": schema, "table": table}).fetchone()
        return None if row is None or row[0] < 0 else int(row[0])

    def _count(
        self,
        connection: psycopg.Connection,
        counted: Counter[Holds],
        used: Counter[datetime],
    ) -> list[Doubt]:
        query = sql.SQL(load("migrator.metrics", "session_store.sql")["rows"].encode().decode())
        until = self.clock.now() + self.timeout
        with connection.cursor(name="migrator_sessions") as cursor:
            cursor.itersize = PAGE_ROWS
            cursor.execute(query.format(table=sql.SQL(ident(*qualified(self.table)))))
            while page := cursor.fetchmany(PAGE_ROWS):
                for data, written in page:
                    held = holds(data, scope=self.scope)
                    counted[held] += 1
                    if held is Holds.USER and written is not None:
                        used[_hour(written)] += 1
                if self.clock.now() > until:
                    return [self._too_slow(counted)]
        return []

    def _too_slow(self, counted: Counter[Holds]) -> Doubt:
        limit = format_duration(self.timeout)
        return Doubt(
            Grade.UNPROVEN,
            f"{self.table}: {counted.total():,} rows read in {limit}, not all: an estimate",
        )


@dataclass(frozen=True)
class UncountedSessions:
    """Sessions that no server can count: they live in cookies."""

    store: str

    def look(self) -> SessionsLook:
        """Say so."""
        reason = (
            f"sessions of the store {self.store!r} cannot be counted; only the deadline ends them"
        )
        return SessionsLook(doubts=(Doubt(Grade.NO_DATA, reason),))


def _hour(written: datetime) -> datetime:
    """Give the hour; Rails writes UTC into a column without a zone."""
    at = written if written.tzinfo else written.replace(tzinfo=UTC)
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _look(
    counted: Counter[Holds], used: Counter[datetime], estimate: int | None, doubts: list[Doubt]
) -> SessionsLook:
    unknown = counted[Holds.UNKNOWN]
    if unknown:
        doubts.append(
            Doubt(Grade.AMBIGUOUS, f"{unknown:,} rows cannot be decoded and may hold a user")
        )
    return SessionsLook(
        holding=counted[Holds.USER],
        others=counted[Holds.OTHER_USER],
        anonymous=counted[Holds.NOBODY],
        undecodable=unknown,
        used=tuple(sorted(used.items())),
        total_estimate=estimate,
        doubts=tuple(doubts),
    )


def _first_line(error: Error) -> str:
    return scrub((str(error).strip() or type(error).__name__).partition("\n")[0])
