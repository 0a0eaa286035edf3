"""The last finished pass of what keeps both sides in step, as the checkpoints have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.core.clock import parse_iso
from migrator.metrics.interface import Doubt, Grade

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from migrator.core.clock import Clock
    from migrator.state.checkpoints import Checkpoints

LAST_PASS = "last_pass"  # noqa: S105


class Pass(NamedTuple):
    """A pass that was finished.

    Attributes:
        facts: What it left, by name.
        age_s: Seconds since then: whatever stands still falls behind by its own age.
    """

    facts: Mapping[str, Any]
    at: datetime
    age_s: float


def last_pass(
    checkpoints: Checkpoints, clock: Clock, *, subject: str, command: str
) -> Pass | Doubt:
    """Find it; one that failed, or that a brake held, is none.

    Args:
        checkpoints: The state.
        clock: Now.
        subject: Whose pass.
        command: What makes one, for the doubt when there is none.
    """
    found = checkpoints.get(subject, LAST_PASS)
    if found is None:
        return Doubt(Grade.NO_DATA, f"no pass yet: {command}")
    at = parse_iso(found["at"])
    age_s = (clock.now() - at).total_seconds()
    if age_s < 0:
        reason = f"the last pass is dated {found['at']}, which is yet to come"
        return Doubt(Grade.AMBIGUOUS, reason)
    return Pass(found, at, age_s)
