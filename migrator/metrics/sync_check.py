"""Reads from the checkpoints how far the last pass of the sync left Auther behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.metrics.interface import Doubt, Grade, SyncLook

if TYPE_CHECKING:
    from migrator.core.clock import Clock
    from migrator.state.checkpoints import Checkpoints

SUBJECT, LAST_PASS = "sync", "last_pass"


@dataclass(frozen=True)
class SyncCheck:
    """The state as a source. A sync that stands still falls behind by its own age."""

    checkpoints: Checkpoints
    clock: Clock

    def look(self) -> SyncLook:
        """Find the last finished pass; one that a brake held, or that failed, is none."""
        found = self.checkpoints.get(SUBJECT, LAST_PASS)
        if found is None:
            return SyncLook(doubts=(Doubt(Grade.NO_DATA, "never synced: migrator import sync"),))
        at = parse_iso(found["at"])
        age_s = (self.clock.now() - at).total_seconds()
        if age_s < 0:
            reason = f"the last pass is dated {found['at']}, which is yet to come"
            return SyncLook(doubts=(Doubt(Grade.AMBIGUOUS, reason),))
        return SyncLook(found["seconds"] + age_s, found["rows"], found["quarantined"], at)
