"""What people may decide against a gate, and what nobody may."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.gates.verdict import GateState

if TYPE_CHECKING:
    from migrator.config.gate import Measurement
    from migrator.gates.spec import GateSpec

GOOD_FOR = timedelta(hours=1)
# Without traffic every zero beside it proves nothing.
INVARIANT_MEASURES: frozenset[Measurement] = frozenset({"total_requests"})
_MEASURED = frozenset({GateState.FAILED, GateState.ACCUMULATING})


def why_not(spec: GateSpec, state: GateState, *, doubted: bool) -> str:
    """Say why a gate cannot be overridden, '' when it can.

    A bound or a duration may be overridden: the number is known, and people take it upon themselves.
    That there is a number, from every expected instance and with its control counted, is an
    invariant, and so is the floor of the traffic that gives a zero its meaning.

    Args:
        spec: The gate.
        state: By its last verdict.
        doubted: Something was doubted in the measurement behind it.
    """
    if state.lets_through:
        return f"it is {state}: there is nothing to override"
    if spec.measure in INVARIANT_MEASURES:
        return "the floor of the traffic is an invariant: without it no zero proves anything"
    if state not in _MEASURED:
        return f"it is {state}: what was not measured cannot be overridden, only a bound or a span"
    if doubted:
        return "its measurement is doubted: coverage and control are invariants"
    return ""
