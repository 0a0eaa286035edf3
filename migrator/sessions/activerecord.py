"""Rails: activerecord-session_store's table, on whichever database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.legacy.session_rows import BEFORE_ALL, open_session_rows
from migrator.metrics.interface import StoreMark
from migrator.metrics.session_data import Content, Holds, content_of_row, warden_scope
from migrator.sessions.interface import Holder, HolderPage
from migrator.sessions.tally import Tally

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from migrator.legacy.session_rows import SessionRow, SessionRows
    from migrator.metrics.interface import SessionsLook
    from migrator.sessions.interface import Place

NEEDED = ("id", "data", "updated_at")
PAGE_ROWS = 1000


@dataclass(frozen=True)
class ActiveRecordStore:
    """Reads and decodes every row at each look."""

    place: Place

    def look(self) -> SessionsLook:
        """Read every row once; a count that ends early is at least what it says, and doubted."""
        tally, table = Tally(), self.place.legacy.sessions_table
        until = self.place.until()
        with tally.doubting(table, self.place), self.open() as rows:
            tally.estimate, tally.store = rows.estimate(), StoreMark(*rows.mark())
            after = BEFORE_ALL
            while page := rows.page(after, rows=PAGE_ROWS):
                for row in page:
                    tally.add(self.content(row).holds, used=row.updated_at)
                    tally.written(row.updated_at)
                after = page[-1].id
                if self.place.clock.now() > until:
                    tally.too_slow(table, self.place)
                    break
        return tally.look()

    def holders(self, *, after: str, rows: int) -> HolderPage:
        """Give sessions in the order of their rows."""
        found: list[Holder] = []
        reached = int(after) if after else BEFORE_ALL
        with self.open() as table:
            while page := table.page(reached, rows=PAGE_ROWS):
                for row in page:
                    reached = row.id
                    holds, user = self.content(row)
                    if holds is Holds.USER:
                        found.append(Holder(user, used_at=row.updated_at, key_hash=str(row.id)))
                    if len(found) == rows:
                        return HolderPage(tuple(found), str(reached))
        return HolderPage(tuple(found))

    def open(self) -> AbstractContextManager[SessionRows]:
        """Connect; raises as `open_session_rows` does."""
        place = self.place
        table = place.legacy.sessions_table
        return open_session_rows(place.dsn(), table, needed=NEEDED, limit_s=place.limit_s)

    def content(self, row: SessionRow) -> Content:
        """Say what a row holds."""
        return content_of_row(row.data, scope=warden_scope(self.place.legacy.model))
