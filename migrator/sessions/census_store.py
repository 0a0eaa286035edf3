"""Rails' session table by its census: what was counted, and what changed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.clock import iso
from migrator.legacy.session_census import open_census
from migrator.legacy.session_rows import BEFORE_ALL, LARGEST_KEY
from migrator.metrics.interface import Grade, StoreMark
from migrator.sessions.activerecord import PAGE_ROWS, ActiveRecordStore
from migrator.sessions.census import KINDS, time_of
from migrator.sessions.interface import Holder, HolderPage
from migrator.sessions.tally import Tally

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from migrator.legacy.session_census import CensusTable
    from migrator.legacy.session_rows import SessionRow, SessionRows
    from migrator.metrics.interface import SessionsLook
    from migrator.sessions.census import Reached
    from migrator.sessions.interface import Place

# What changed since the census is read in the look itself, up to here.
LOOK_ROWS = 20_000


@dataclass(frozen=True)
class CensusStore:
    """Counts the census; a row that it does not know yet is read here, or counted as not seen."""

    place: Place
    reached: Reached

    def look(self) -> SessionsLook:
        """Count once."""
        tally, legacy = Tally(), self.place.legacy
        store = ActiveRecordStore(self.place)
        with tally.doubting(legacy.sessions_table, self.place):
            with store.open() as rows:
                tally.estimate, tally.store = rows.estimate(), StoreMark(*rows.mark())
                tally.written(rows.written_at())
                changed = self._changed(rows, tally)
            for row in changed:
                tally.add(store.content(row).holds, used=row.updated_at)
            with self._census() as census:
                for holds, used_hour, count in census.counts(without=[r.id for r in changed]):
                    tally.add(KINDS[holds], used=time_of(used_hour), count=count)
        if tally.unseen:
            tally.doubt(Grade.AMBIGUOUS, self._unseen(tally.unseen))
        return tally.look()

    def holders(self, *, after: str, rows: int) -> HolderPage:
        """Give users in the order of their keys, as text."""
        with self._census() as census:
            found = census.holders(after=after, rows=rows)
        holders = tuple(Holder(user, count, time_of(used)) for user, count, used in found)
        return HolderPage(holders, holders[-1].user if len(holders) == rows else None)

    def _changed(self, rows: SessionRows, tally: Tally) -> list[SessionRow]:
        """Read what was written to since the census passed; count what it has not reached, or is too much."""
        since, up_to = self.reached.since, LARGEST_KEY
        if not self.reached.whole:
            up_to = self.reached.after
            tally.unseen += rows.count_beyond(up_to)
        changed: list[SessionRow] = []
        after = BEFORE_ALL
        while page := rows.changed(since, after, rows=PAGE_ROWS, up_to=up_to):
            after = page[-1].id
            changed += page
            if len(changed) >= LOOK_ROWS:
                tally.unseen += max(rows.count_changed(since, up_to=up_to) - len(changed), 0)
                break
        return changed

    def _census(self) -> AbstractContextManager[CensusTable]:
        place = self.place
        return open_census(
            place.dsn(),
            users=place.legacy.users_table,
            sessions=place.legacy.sessions_table,
            limit_s=place.limit_s,
            read_only=True,
        )

    def _unseen(self, rows: int) -> str:
        if self.reached.whole:
            since = iso(self.reached.since)
            return f"{rows:,} rows changed since the census of {since}: migrator drain census"
        return f"{rows:,} rows are not in the census yet: migrator drain census goes on with them"
