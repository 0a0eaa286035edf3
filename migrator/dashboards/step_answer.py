"""What programs are told of a step and its gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class GateAnswer:
    """One gate by the ledger."""

    gate: str
    state: str
    reason: str
    good_until: datetime | None


@dataclass(frozen=True)
class StepAnswer:
    """What the ledger says of a step, or of one of its gates.

    Attributes:
        allowed: The step may begin.
        state: What the gates mean together.
        reason: In words, when it may not.
    """

    step: str
    allowed: bool
    state: str
    reason: str = ""
    gates: tuple[GateAnswer, ...] = ()
