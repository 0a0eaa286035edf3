"""Reads from the checkpoints how far the last pass of the sync left Auther behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.metrics.both_sides import SyncLook
from migrator.metrics.interface import Doubt
from migrator.metrics.last_pass import last_pass

if TYPE_CHECKING:
    from migrator.core.clock import Clock
    from migrator.state.checkpoints import Checkpoints

SUBJECT = "sync"


@dataclass(frozen=True)
class SyncCheck:
    """The state as a source."""

    checkpoints: Checkpoints
    clock: Clock

    def look(self) -> SyncLook:
        """Say how far behind Auther is by now."""
        command = "migrator import sync"
        found = last_pass(self.checkpoints, self.clock, subject=SUBJECT, command=command)
        if isinstance(found, Doubt):
            return SyncLook(doubts=(found,))
        left = found.facts
        seconds = left["seconds"] + found.age_s
        return SyncLook(seconds, left["rows"], left["quarantined"], found.at)
