"""The census of Rails' session table: what each row holds, written beside the table, page by page.

The store itself is only read. Each page is a transaction, and how far the census came is written down after
it: killed at any point, the next run does that page again and goes on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso, parse_iso
from migrator.legacy.session_census import Counted
from migrator.legacy.session_rows import BEFORE_ALL
from migrator.metrics.session_data import Holds, content_of_row
from migrator.sessions.tally import hour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from migrator.core.clock import Clock
    from migrator.legacy.session_census import CensusTable
    from migrator.legacy.session_rows import SessionRow, SessionRows
    from migrator.state.checkpoints import Checkpoints

SUBJECT, KEY = "census", "reached"
PAGE_ROWS, SWEEP_ROWS = 2000, 50_000
KINDS = (Holds.NOBODY, Holds.USER, Holds.OTHER_USER, Holds.UNKNOWN)
_CODE = {kind: code for code, kind in enumerate(KINDS)}
_HOUR_S = 3600


@dataclass(frozen=True)
class Reached:
    """How far the census came.

    Attributes:
        table: Of which table.
        model: Whose sessions it tells from those of others.
        since: Rows written to from then on are not all known.
        after: The key up to which every row was read.
        read: How many these were.
        whole: Whether that was the last one.
        sweep_after: The key up to which a sweep looked for rows that are gone.
        swept_at: When the last whole sweep ended, None before the first.
    """

    table: str
    model: str
    since: datetime
    after: int = BEFORE_ALL
    read: int = 0
    whole: bool = False
    sweep_after: int = BEFORE_ALL
    swept_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        swept_at = None if self.swept_at is None else iso(self.swept_at)
        return {**asdict(self), "since": iso(self.since), "swept_at": swept_at}


def reached_so_far(checkpoints: Checkpoints, table: str, model: str) -> Reached | None:
    """Give how far the census of a table came for a model's sessions, None before the first one."""
    stored = checkpoints.get(SUBJECT, KEY)
    if not stored or (stored["table"], stored.get("model")) != (table, model):
        return None
    swept_at = stored["swept_at"]
    times = {"since": parse_iso(stored["since"]), "swept_at": swept_at and parse_iso(swept_at)}
    return Reached(**{**stored, **times})


@dataclass(frozen=True)
class Pace:
    """How the census goes about it.

    Attributes:
        scope: Warden's scope of the migrated model.
        rows_per_s: No more than so many rows are read in a second.
        sweep_every: Between two looks for rows that are gone.
        clock_margin: By how much application servers' clocks may be behind the database's.
        unseen_for: How long a transaction may last that our role cannot see.
    """

    scope: bytes
    rows_per_s: int
    sweep_every: timedelta
    clock_margin: timedelta
    unseen_for: timedelta


class Census:
    """Reads the session table and writes the census."""

    def __init__(
        self,
        rows: SessionRows,
        table: CensusTable,
        *,
        pace: Pace,
        checkpoints: Checkpoints,
        clock: Clock,
    ) -> None:
        self._rows, self._table, self._pace = rows, table, pace
        self._checkpoints, self._clock = checkpoints, clock

    def begin(self, name: str, model: str) -> Reached:
        """Give where to go on; a table that is not there, or is of other sessions, begins anew."""
        if self._table.exists():
            known = reached_so_far(self._checkpoints, name, model)
            if known is not None:
                return known
            self._table.clear()
        else:
            self._table.create()
        return self._keep(Reached(name, model, since=self._horizon()))

    def walk(self, reached: Reached, *, advance: Callable[[int], None]) -> Reached:
        """Read all rows that were never read."""
        while not reached.whole:
            began = self._clock.now()
            page = self._rows.page(reached.after, rows=PAGE_ROWS)
            self._write(page)
            advance(len(page))
            if page:
                reached = self._keep(
                    replace(reached, after=page[-1].id, read=reached.read + len(page))
                )
                self._rest(len(page), since=began)
            else:
                self._table.tidy()
                reached = self._keep(replace(reached, whole=True, swept_at=self._clock.now()))
        return reached

    def catch_up(self, reached: Reached, *, advance: Callable[[int], None]) -> Reached:
        """Read rows that were written to since they were read."""
        until, after = self._horizon(), BEFORE_ALL
        while page := self._rows.changed(reached.since, after, rows=PAGE_ROWS):
            began, after = self._clock.now(), page[-1].id
            self._write(page)
            advance(len(page))
            self._rest(len(page), since=began)
        return self._keep(replace(reached, since=max(until, reached.since)))

    def sweep(self, reached: Reached) -> Reached:
        """Forget rows that are gone, and read those that came to be seen late; when it is time."""
        now = self._clock.now()
        if reached.swept_at and now - reached.swept_at < self._pace.sweep_every:
            return reached
        while (last := self._table.last(reached.sweep_after, rows=SWEEP_ROWS)) is not None:
            self._table.drop_gone(reached.sweep_after, last)
            self._read_missed(reached.sweep_after, last)
            reached = self._keep(replace(reached, sweep_after=last))
        self._table.tidy()
        return self._keep(replace(reached, sweep_after=BEFORE_ALL, swept_at=now))

    def _read_missed(self, after: int, last: int) -> None:
        while page := self._table.missed(after, last, rows=PAGE_ROWS):
            self._write(page)
            after = page[-1].id

    def _write(self, page: Sequence[SessionRow]) -> None:
        if page:
            self._table.write([counted(row, scope=self._pace.scope) for row in page])

    def _horizon(self) -> datetime:
        found = self._rows.horizon(unseen_for=self._pace.unseen_for)
        return found.until - self._pace.clock_margin

    def _rest(self, rows: int, *, since: datetime) -> None:
        spent_s = (self._clock.now() - since).total_seconds()
        self._clock.sleep(max(rows / self._pace.rows_per_s - spent_s, 0))

    def _keep(self, reached: Reached) -> Reached:
        self._checkpoints.put(SUBJECT, KEY, reached.to_json())
        return reached


def counted(row: SessionRow, *, scope: bytes) -> Counted:
    """Say what a row holds, as the census keeps it."""
    holds, user = content_of_row(row.data, scope=scope)
    used = None if row.updated_at is None else int(hour(row.updated_at).timestamp()) // _HOUR_S
    return Counted(row.id, _CODE[holds], user, used)


def time_of(used_hour: int | None) -> datetime | None:
    """Give the hour that the census keeps as a number."""
    return None if used_hour is None else datetime.fromtimestamp(used_hour * _HOUR_S, UTC)
