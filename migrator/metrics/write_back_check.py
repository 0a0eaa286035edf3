"""Reads from the checkpoints how far the last pass of the write-back left the application behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.metrics.interface import Doubt, Grade, WriteBackLook

if TYPE_CHECKING:
    from migrator.core.clock import Clock
    from migrator.state.checkpoints import Checkpoints

SUBJECT, LAST_PASS = "write-back", "last_pass"
_NEVER = Doubt(Grade.NO_DATA, "never written back: migrator import write-back")


@dataclass(frozen=True)
class WriteBackCheck:
    """The state as a source. A write-back that stands still falls behind by its own age."""

    checkpoints: Checkpoints
    clock: Clock

    def look(self) -> WriteBackLook:
        """Find the last finished pass; one that failed is none."""
        found = self.checkpoints.get(SUBJECT, LAST_PASS)
        if found is None:
            return WriteBackLook(doubts=(_NEVER,))
        at = parse_iso(found["at"])
        age_s = (self.clock.now() - at).total_seconds()
        if age_s < 0:
            reason = f"the last pass is dated {found['at']}, which is yet to come"
            return WriteBackLook(doubts=(Doubt(Grade.AMBIGUOUS, reason),))
        return WriteBackLook(found["lag_seconds"] + age_s, found["open_users"], at)
