"""Laravel: the table of its session driver `database`, which names the user of each session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrator.legacy.session_rows import open_session_rows
from migrator.metrics.interface import StoreMark
from migrator.metrics.session_data import Holds
from migrator.sessions.interface import Holder, HolderPage
from migrator.sessions.tally import Tally

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from migrator.legacy.session_rows import SessionRows
    from migrator.metrics.interface import SessionsLook
    from migrator.sessions.interface import Place

NEEDED = ("id", "user_id", "last_activity")
_HOUR_S = 3600


@dataclass(frozen=True)
class LaravelStore:
    """Lets the database count; sessions past `session_ttl` are over, whether they were swept or not."""

    place: Place

    def look(self) -> SessionsLook:
        """Count in one statement."""
        tally, ttl = Tally(), self.place.legacy.session_ttl
        with tally.doubting(self.place.legacy.sessions_table, self.place), self._open() as rows:
            tally.estimate, tally.store = rows.estimate(), StoreMark(*rows.mark())
            for held, hour, count, last_s in rows.ask("laravel", since=self._since_s()):
                used = _time(hour * _HOUR_S)
                ends = used + ttl if ttl else None
                holds = Holds.USER if held else Holds.NOBODY
                tally.add(holds, used=used, ends=ends, count=count)
                tally.written(_time(last_s))
        return tally.look()

    def holders(self, *, after: str, rows: int) -> HolderPage:
        """Give users in the order of their keys, as text."""
        ttl = self.place.legacy.session_ttl
        with self._open() as table:
            found = table.ask("laravel_holders", since=self._since_s(), after=after, rows=rows)
        holders = tuple(
            Holder(user, count, _time(used), _time(used) + ttl if ttl else None)
            for user, count, used in found
        )
        return HolderPage(holders, holders[-1].user if len(holders) == rows else None)

    def _open(self) -> AbstractContextManager[SessionRows]:
        place = self.place
        table = place.legacy.sessions_table
        return open_session_rows(place.dsn(), table, needed=NEEDED, limit_s=place.limit_s)

    def _since_s(self) -> int:
        ttl = self.place.legacy.session_ttl
        return 0 if ttl is None else int((self.place.clock.now() - ttl).timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
