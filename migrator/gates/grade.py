"""Puts one reading into its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.gates.spec import REGRESS
from migrator.metrics.interface import Doubt, Grade

if TYPE_CHECKING:
    from migrator.gates.spec import GateSpec
    from migrator.metrics.interface import Reading

TOO_SHORT_RATIO = 0.9
# When several things are wrong, the one to look at first gives the class; all reasons are kept.
_WORST_FIRST = (Grade.ERROR, Grade.NO_DATA, Grade.STALE, Grade.AMBIGUOUS, Grade.UNPROVEN)


def grade(spec: GateSpec, reading: Reading, *, was_ok: bool) -> tuple[Grade, str]:
    """Give a reading's class and its reason.

    A doubted reading never is OK. It is a BREACH only when what is known of it already exceeds the
    upper bound: more data could not mend that. To a regress it is none even then. What was lost doubts
    the value likewise, but a value that is enough whatever was lost.

    Args:
        spec: The gate.
        reading: What was measured.
        was_ok: The sample before was OK, so that the bounds to leave apply.
    """
    upper = _bound(spec.at_most, spec.leave_above, was_ok=was_ok)
    lower = _bound(spec.at_least, spec.leave_below, was_ok=was_ok)
    certain = not reading.doubts or spec.before != REGRESS
    if reading.value is not None and upper is not None and reading.value > upper and certain:
        return Grade.BREACH, f"{reading.value:g} is above {upper:g}"
    doubts = (*reading.doubts, *_losses(reading, upper=upper, lower=lower))
    if doubts:
        worst = min((doubt.grade for doubt in doubts), key=_WORST_FIRST.index)
        return worst, "; ".join(dict.fromkeys(doubt.reason for doubt in doubts))
    if reading.value is None:
        return Grade.NO_DATA, "nothing was measured"
    if lower is not None and not reading.value >= lower:
        return _below(spec, reading, reading.value, lower)
    # A NaN fails every comparison: only a value that is within its bounds gets here.
    if upper is not None and not reading.value <= upper:
        return Grade.AMBIGUOUS, "the value is not a number"
    return Grade.OK, f"{reading.value:g}, {spec.bound_in_words}"


def _losses(reading: Reading, *, upper: float | None, lower: float | None) -> tuple[Doubt, ...]:
    """Give what was lost, unless the value is enough for the bounds whatever it was."""
    enough = reading.value is not None and lower is not None and reading.value >= lower
    if upper is None and enough:
        return ()
    return tuple(Doubt(Grade.UNPROVEN, reason) for reason in reading.lost)


def _below(spec: GateSpec, reading: Reading, value: float, lower: float) -> tuple[Grade, str]:
    if value != value:  # noqa: PLR0124
        return Grade.AMBIGUOUS, "the value is not a number"
    if reading.window is not None and reading.window < spec.interval * TOO_SHORT_RATIO:
        return Grade.NO_DATA, f"{value:g} so far; the floor {lower:g} is for {spec.interval}"
    return Grade.BREACH, f"{value:g} is below {lower:g}"


def _bound(enter: float | None, leave: float | None, *, was_ok: bool) -> float | None:
    return leave if was_ok and leave is not None else enter
