"""Sessions that no server can count: they live in cookies, or there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.metrics.interface import Doubt, Grade, SessionsLook
from migrator.sessions.interface import HolderPage

if TYPE_CHECKING:
    from migrator.sessions.interface import Place


@dataclass(frozen=True)
class UncountedStore:
    """Answers that it does not know."""

    place: Place

    def look(self) -> SessionsLook:
        """Say so."""
        store = self.place.legacy.session_store
        reason = f"sessions of the store {store!r} cannot be counted; only the deadline ends them"
        return SessionsLook(doubts=(Doubt(Grade.NO_DATA, reason),))

    def holders(self, *, after: str, rows: int) -> HolderPage:  # noqa: ARG002
        """Give nobody: nobody can tell."""
        return HolderPage()
