"""Any application on PostgreSQL, through a SELECT in migrator.toml."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from migrator.legacy.session_query import COUNTS, HOLDING, WRITTEN_AT, open_session_query
from migrator.metrics.interface import Grade, StoreMark
from migrator.metrics.session_data import Holds
from migrator.sessions.interface import Holder, HolderPage
from migrator.sessions.tally import Tally

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from migrator.legacy.session_query import SessionQuery
    from migrator.metrics.interface import SessionsLook
    from migrator.sessions.interface import Place

WHAT = "legacy.sessions.query"
_HOLDS = dict(
    zip(COUNTS, (Holds.USER, Holds.OTHER_USER, Holds.NOBODY, Holds.UNKNOWN), strict=False)
)


@dataclass(frozen=True)
class SqlStore:
    """Lets the database count what the SELECT gives."""

    place: Place

    def look(self) -> SessionsLook:
        """Count in one statement."""
        tally = Tally()
        with tally.doubting(WHAT, self.place), self._open() as query:
            tally.store = StoreMark(query.place(), "")
            if query.counts:
                _take_counts(tally, query.counted())
            else:
                self._take_groups(tally, query.grouped())
        return tally.look()

    def _take_groups(self, tally: Tally, groups: list[tuple[Any, ...]]) -> None:
        ttl = self.place.legacy.session_ttl
        for held, used, ends, count, last_used, last_end in groups:
            tally.add(Holds.USER if held else Holds.NOBODY, used=used, ends=ends, count=count)
            begun = last_end - ttl if last_end and ttl else None
            tally.written(last_used or begun)

    def holders(self, *, after: str, rows: int) -> HolderPage:
        """Give users in the order of their keys, as text; counts name nobody."""
        with self._open() as query:
            found = [] if query.counts else query.held(after=after, rows=rows)
        holders = tuple(Holder(*row) for row in found)
        return HolderPage(holders, holders[-1].user if len(holders) == rows else None)

    def _open(self) -> AbstractContextManager[SessionQuery]:
        place = self.place
        query = place.legacy.sessions.query
        return open_session_query(place.dsn(), query, limit_s=place.limit_s)


def _take_counts(tally: Tally, rows: list[dict[str, Any]]) -> None:
    if len(rows) != 1:
        said = "no row" if not rows else "several rows"
        tally.doubt(Grade.AMBIGUOUS, f"{WHAT} gives {said} of counts where one was meant")
        return
    counts = {name: rows[0][name] for name in COUNTS if name in rows[0]}
    odd = [f"{name} is {n}" for name, n in counts.items() if not _is_count(n)]
    if odd:
        tally.doubt(Grade.AMBIGUOUS, f"{WHAT}: {', '.join(odd)}, which is no count")
        return
    for name, holds in _HOLDS.items():
        tally.add(holds, count=int(counts.get(name, 0)))
    tally.written(rows[0].get(WRITTEN_AT))
    tally.endless = int(min(counts.get("endless", 0), counts[HOLDING]))


def _is_count(value: object) -> bool:
    """Tell whether a value is a number of sessions; sums come as decimals."""
    if not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        return False
    return value >= 0 and value == int(value)
