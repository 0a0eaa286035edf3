"""Reads from the checkpoints how far the last pass of the write-back left the application behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.metrics.both_sides import WriteBackLook
from migrator.metrics.interface import Doubt
from migrator.metrics.last_pass import last_pass

if TYPE_CHECKING:
    from migrator.core.clock import Clock
    from migrator.state.checkpoints import Checkpoints

SUBJECT = "write-back"


@dataclass(frozen=True)
class WriteBackCheck:
    """The state as a source."""

    checkpoints: Checkpoints
    clock: Clock

    def look(self) -> WriteBackLook:
        """Say how far behind the application is by now."""
        command = "migrator import write-back"
        found = last_pass(self.checkpoints, self.clock, subject=SUBJECT, command=command)
        if isinstance(found, Doubt):
            return WriteBackLook(doubts=(found,))
        left = found.facts
        return WriteBackLook(left["lag_seconds"] + found.age_s, left["open_users"], found.at)
