"""Says which share of Auther's measured capacity the busiest minute needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.metrics.interface import FactLook, Grade, no_fact

if TYPE_CHECKING:
    from migrator.core.clock import Clock
    from migrator.state.checkpoints import Checkpoints

SUBJECT, CAPACITY = "auther", "capacity"
COMMAND = "migrator auther capacity"
GOOD_FOR = timedelta(days=30)


@dataclass(frozen=True)
class CapacityCheck:
    """The state as a source, for the configured Auther.

    Attributes:
        peak_per_s: Sign-ins a second in the busiest minute; None where nobody has said it.
    """

    checkpoints: Checkpoints
    clock: Clock
    base_url: str
    peak_per_s: float | None

    def look(self) -> FactLook:
        """Give the share that is needed when everybody signs in there, 1 for all of it."""
        if self.peak_per_s is None:
            return no_fact(Grade.NO_DATA, "the peak is not known: [auther] peak_sign_ins_per_s")
        kept = self.checkpoints.get(SUBJECT, CAPACITY)
        if kept is None or kept["base_url"] != self.base_url:
            return no_fact(Grade.NO_DATA, f"this Auther was not measured: {COMMAND}")
        at = parse_iso(kept["at"])
        if self.clock.now() - at > GOOD_FOR:
            return no_fact(Grade.STALE, f"measured at {kept['at']}, over 30 days ago: {COMMAND}")
        measured = float(kept["sign_ins_per_s"])
        if measured <= 0:
            return no_fact(Grade.AMBIGUOUS, f"the last measurement is {measured:g}/s: {COMMAND}")
        evidence = {"sign_ins_per_s": measured, "peak_per_s": self.peak_per_s}
        return FactLook(self.peak_per_s / measured, at, evidence=evidence)
