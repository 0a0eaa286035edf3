from __future__ import annotations

import pytest

from migrator.gates.override import why_not
from migrator.gates.verdict import GateState
from tests.gates.specs import spec

QUIET = spec()
MEASURED = {GateState.FAILED, GateState.ACCUMULATING}


@pytest.mark.parametrize("state", sorted(MEASURED))
def test_a_bound_or_a_span_can_be_overridden(state: GateState) -> None:
    assert why_not(QUIET, state, doubted=False) == ""


@pytest.mark.parametrize("state", [s for s in GateState if s not in MEASURED])
def test_what_was_not_measured_or_lets_through_anyway_cannot(state: GateState) -> None:
    assert why_not(QUIET, state, doubted=False).startswith(f"it is {state}: ")


def test_coverage_and_control_are_invariants_even_of_a_breach() -> None:
    said = "its measurement is doubted: coverage and control are invariants"
    assert why_not(QUIET, GateState.FAILED, doubted=True) == said


def test_the_floor_of_the_traffic_is_an_invariant() -> None:
    busy = spec(measure="total_requests", at_most=None, at_least=10)
    said = "the floor of the traffic is an invariant: without it no zero proves anything"
    assert why_not(busy, GateState.FAILED, doubted=False) == said
