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
    from migrator.metrics.interface import Grade


class GateState(StrEnum):
    """Where a gate stands. PASSED lets through, and OVERRIDDEN once."""

    PENDING = "PENDING"
    ACCUMULATING = "ACCUMULATING"
    PASSED = "PASSED"
    HELD = "HELD"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    INVALIDATED = "INVALIDATED"
    OVERRIDDEN = "OVERRIDDEN"

    @property
    def lets_through(self) -> bool:
        """Tell whether a step may begin."""
        return self in {GateState.PASSED, GateState.OVERRIDDEN}

    @property
    def exit_code(self) -> ExitCode:
        """Give 0 for what lets through, 1 for FAILED, 3 for all that is not known."""
        if self.lets_through:
            return ExitCode.DONE
        return ExitCode.REFUSED if self is GateState.FAILED else ExitCode.HELD


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
        grade: The newest sample's class.
        since: From when on every sample is of that class, or nobody has looked.
        last_ok: When the last OK sample was taken.
        missing: What a pass still needs, in words; empty when nothing does.
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
    grade: Grade | None = None
    since: datetime | None = None
    last_ok: datetime | None = None
    missing: str = ""

    @property
    def label(self) -> str:
        """Say the state with its count, e.g. `ACCUMULATING 2/3`."""
        if self.state is not GateState.ACCUMULATING:
            return str(self.state)
        counted = min(self.ok_in_a_row, self.gate.consecutive)
        return f"{self.state} {counted}/{self.gate.consecutive}"


def decide(states: Sequence[GateState]) -> GateState:
    """Say what several gates mean together: the worst wins.

    One FAILED fails, all PASSED pass, PASSED beside OVERRIDDEN is OVERRIDDEN, the rest is HELD.

    No gate at all is HELD: nothing was asked, so nothing is known.
    """
    if GateState.FAILED in states:
        return GateState.FAILED
    if not states or not all(state.lets_through for state in states):
        return GateState.HELD
    return GateState.OVERRIDDEN if GateState.OVERRIDDEN in states else GateState.PASSED
