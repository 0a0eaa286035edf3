from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.gates.verdict import GateState, decide

NOT_PASSED = [state for state in GateState if not state.lets_through]


def test_an_empty_list_is_held() -> None:
    assert (decide([]), decide([]).exit_code) == (GateState.HELD, 3)


def test_only_all_passed_pass() -> None:
    assert decide([GateState.PASSED, GateState.PASSED]) is GateState.PASSED


@pytest.mark.parametrize("worst", NOT_PASSED)
def test_the_worst_wins(worst: GateState) -> None:
    expected = GateState.FAILED if worst is GateState.FAILED else GateState.HELD
    assert decide([GateState.PASSED, worst, GateState.PASSED]) is expected


@given(st.lists(st.sampled_from(list(GateState))), st.sampled_from(NOT_PASSED))
def test_one_more_gate_never_turns_another_answer_into_a_pass(
    states: list[GateState], more: GateState
) -> None:
    assert not decide([*states, more]).lets_through


def test_an_override_lets_through_and_shows_as_what_it_is() -> None:
    passed, overridden = GateState.PASSED, GateState.OVERRIDDEN
    assert decide([passed, overridden, passed]) is overridden
    assert decide([overridden, GateState.ACCUMULATING]) is GateState.HELD
    assert decide([overridden, GateState.FAILED]) is GateState.FAILED


@pytest.mark.parametrize("state", list(GateState))
def test_exit_codes_are_0_1_and_3(state: GateState) -> None:
    expected = {"PASSED": 0, "OVERRIDDEN": 0, "FAILED": 1}.get(state, 3)
    assert state.exit_code == expected
