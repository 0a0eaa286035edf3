"""The newest parts of the page, and which of them somebody has not seen yet.

Nothing is queued for anybody: a reader holds the mark of what it saw last and gets what changed since, in its newest
form, however long it was away. So a slow or a gone reader costs nothing and hears nothing twice.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from migrator.dashboards.page import document, parts

if TYPE_CHECKING:
    from migrator.dashboards.overview import Overview


class Board:
    """What is shown now; used on the event loop only.

    Args:
        measuring: The server takes the gates' samples itself.
    """

    def __init__(self, first: Overview, *, measuring: bool = False) -> None:
        # Marks of another process say nothing here.
        self._boot = secrets.token_hex(4)
        self._measuring = measuring
        self._version = 0
        self._parts: dict[str, str] = {}
        self._changed_at: dict[str, int] = {}
        self._over = first
        self._news = asyncio.Event()
        self._page: tuple[int, bytes] = (-1, b"")
        self.closed = False
        self.show(first)

    @property
    def mark(self) -> str:
        """Identify what is shown now."""
        return f"{self._boot}-{self._version}"

    def show(self, over: Overview) -> None:
        """Show another reading of the state; whoever waits wakes up when it says anything new."""
        made = parts(over)
        changed = [name for name, html in made.items() if self._parts.get(name) != html]
        self._over = over
        if not changed:
            return
        self._version += 1
        self._parts = made
        self._changed_at |= dict.fromkeys(changed, self._version)
        self._wake()

    def close(self) -> None:
        """Let everybody go."""
        self.closed = True
        self._wake()

    def page(self) -> bytes:
        """Give the whole page; it is made once for each version."""
        if self._page[0] != self._version:
            html = document(self._over, self._parts, mark=self.mark, measuring=self._measuring)
            self._page = (self._version, html.encode())
        return self._page[1]

    def since(self, mark: str) -> dict[str, str]:
        """Give the parts that changed after a mark: all of them where the mark says nothing."""
        seen = self._version_of(mark)
        return {name: self._parts[name] for name, at in self._changed_at.items() if at > seen}

    async def news(self, mark: str, *, within_s: float) -> None:
        """Wait until something is newer than a mark, but not for ever."""
        if self.closed or mark != self.mark:
            return
        try:
            await asyncio.wait_for(self._news.wait(), within_s)
        except TimeoutError:
            return

    def _version_of(self, mark: str) -> int:
        boot, _, version = mark.partition("-")
        known = boot == self._boot and version.isascii() and version.isdigit()
        return int(version) if known and int(version) <= self._version else 0

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
