"""Django: the table of its session engines `db` and `cached_db`."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from migrator.legacy.session_rows import open_session_rows
from migrator.metrics.interface import StoreMark
from migrator.metrics.session_data import Holds
from migrator.sessions.django_data import content_of_signed
from migrator.sessions.interface import Holder, HolderPage, key_hash
from migrator.sessions.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from migrator.legacy.session_rows import SessionRows
    from migrator.metrics.interface import SessionsLook
    from migrator.sessions.interface import Place

NEEDED = ("session_key", "session_data", "expire_date")
PAGE_ROWS = 1000
Row = tuple[Any, ...]


@dataclass(frozen=True)
class DjangoStore:
    """Reads and decodes the sessions that have not ended; each tells when it does."""

    place: Place

    def look(self) -> SessionsLook:
        """Read every row once; a count that ends early is at least what it says, and doubted."""
        tally, table = Tally(), self.place.legacy.sessions_table
        ttl = self.place.legacy.session_ttl
        until = self.place.until()
        with tally.doubting(table, self.place), self._open() as rows:
            tally.estimate, tally.store = rows.estimate(), StoreMark(*rows.mark())
            for page in self._pages(rows):
                for _, data, ends in page:
                    tally.add(content_of_signed(data).holds, ends=ends)
                    tally.written(ends - ttl if ttl else None)
                if self.place.clock.now() > until:
                    tally.too_slow(table, self.place)
                    break
        return tally.look()

    def holders(self, *, after: str, rows: int) -> HolderPage:
        """Give sessions in the order of their keys' hashes: the keys themselves sign people in."""
        with self._open() as table:
            beyond = (holder for holder in self._held(table) if holder.key_hash > after)
            found = tuple(nsmallest(rows, beyond, key=lambda holder: holder.key_hash))
        return HolderPage(found, found[-1].key_hash if len(found) == rows else None)

    def _held(self, table: SessionRows) -> Iterator[Holder]:
        for page in self._pages(table):
            for key, data, ends in page:
                holds, user = content_of_signed(data)
                if holds is Holds.USER:
                    yield Holder(user, ends_at=ends, key_hash=key_hash(key.encode()))

    def _open(self) -> AbstractContextManager[SessionRows]:
        place = self.place
        table = place.legacy.sessions_table
        return open_session_rows(place.dsn(), table, needed=NEEDED, limit_s=place.limit_s)

    def _pages(self, rows: SessionRows) -> Iterator[list[Row]]:
        now, after = self.place.clock.now(), ""
        while page := rows.ask("django", after=after, now=now, rows=PAGE_ROWS):
            yield page
            after = str(page[-1][0])
