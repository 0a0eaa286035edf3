"""What may be said of a gate, and of several together: the worst wins."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from migrator.core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrator.gates.spec import GateSpec


class GateState(StrEnum):
    """Where a gate stands. PASSED alone lets anybody through."""

    PENDING = "PENDING"
    ACCUMULATING = "ACCUMULATING"
    PASSED = "PASSED"
    HELD = "HELD"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    INVALIDATED = "INVALIDATED"

    @property
    def exit_code(self) -> ExitCode:
        """Give 0 for PASSED, 1 for FAILED, 3 for all that is not known."""
        known = {GateState.PASSED: ExitCode.DONE, GateState.FAILED: ExitCode.REFUSED}
        return known.get(self, ExitCode.HELD)


@dataclass(frozen=True)
class Verdict:
    """What the samples say of one gate at one moment.

    Attributes:
        reason: Why, in words.
        next_look: When another sample may change it; None when only a person can.
        ok_in_a_row: How many of the newest samples are OK.
        covered: How much of the span OK samples cover, 0 to 1.
        good_until: For PASSED and EXPIRED, the end of the pass.
        value: The newest measured value.
        measured_at: When the newest sample was taken.
    """

    gate: GateSpec
    state: GateState
    reason: str
    next_look: datetime | None = None
    ok_in_a_row: int = 0
    covered: float = 0.0
    good_until: datetime | None = None
    value: float | None = None
    measured_at: datetime | None = None

    @property
    def label(self) -> str:
        """Say the state with its count, e.g. `ACCUMULATING 2/3`."""
        if self.state is not GateState.ACCUMULATING:
            return str(self.state)
        counted = min(self.ok_in_a_row, self.gate.consecutive)
        return f"{self.state} {counted}/{self.gate.consecutive}"


def decide(states: Sequence[GateState]) -> GateState:
    """Say what several gates mean together: one FAILED fails, all PASSED pass, the rest is HELD.

    No gate at all is HELD: nothing was asked, so nothing is known.
    """
    if GateState.FAILED in states:
        return GateState.FAILED
    if states and all(state is GateState.PASSED for state in states):
        return GateState.PASSED
    return GateState.HELD
