from __future__ import annotations

from datetime import timedelta

import pytest

from migrator.gates.grade import grade
from migrator.gates.regress import breaches
from migrator.gates.spec import REGRESS, GateSpec
from migrator.metrics.interface import Doubt, Grade, Reading
from tests.gates.specs import AT, MINUTE, sample, spec

BROKEN, MISSING = Grade.BREACH, Grade.NO_DATA


def of(**changes: object) -> GateSpec:
    return spec(before=REGRESS, span=timedelta(0), **changes)


def confirmed(*grades: Grade, apart: float = 1, since: float = -1, later: float = 0) -> int:
    mine = of()
    taken = [sample(apart * place, found, of=mine) for place, found in enumerate(grades)]
    now = taken[-1].at + later * MINUTE
    return len(breaches(mine, taken, now=now, since=AT + since * MINUTE))


def test_so_many_breaches_in_a_row_are_certain() -> None:
    assert confirmed(Grade.OK, BROKEN, BROKEN, BROKEN) == 3


@pytest.mark.parametrize(
    "grades",
    [
        (BROKEN, BROKEN),
        (BROKEN, BROKEN, Grade.OK),
        (BROKEN, MISSING, BROKEN, BROKEN),
        (BROKEN, BROKEN, BROKEN, MISSING),
        *((found,) * 9 for found in Grade if found is not BROKEN),
    ],
)
def test_fewer_or_anything_else_among_them_is_not(grades: tuple[Grade, ...]) -> None:
    assert confirmed(*grades) == 0


def test_samples_that_are_old_apart_or_crowded_confirm_nothing() -> None:
    assert confirmed(BROKEN, BROKEN, BROKEN, later=30) == 0
    assert confirmed(BROKEN, BROKEN, BROKEN, apart=30) == 0
    assert confirmed(BROKEN, BROKEN, BROKEN, apart=0.01) == 0


def test_two_intervals_apart_is_not_too_far_and_eight_tenths_of_one_not_too_near() -> None:
    assert confirmed(BROKEN, BROKEN, BROKEN, apart=2, later=2) == 3
    assert confirmed(BROKEN, BROKEN, BROKEN, apart=2.001) == 0
    assert confirmed(BROKEN, BROKEN, BROKEN, later=2.001) == 0
    assert confirmed(BROKEN, BROKEN, BROKEN, apart=0.8) == 3
    assert confirmed(BROKEN, BROKEN, BROKEN, apart=0.799) == 0


def test_after_the_clock_was_set_back_breaches_that_are_still_to_come_confirm_nothing() -> None:
    assert confirmed(BROKEN, BROKEN, BROKEN, later=-2) == 3
    assert confirmed(BROKEN, BROKEN, BROKEN, later=-2.001) == 0
    assert confirmed(BROKEN, BROKEN, BROKEN, later=-60) == 0


def test_what_was_broken_before_the_stage_moved_is_not_its_doing() -> None:
    assert confirmed(BROKEN, BROKEN, BROKEN, since=0) == 0


def test_to_a_regress_a_doubted_value_is_no_breach_whatever_it_is() -> None:
    doubted = Reading(99.0, (Doubt(Grade.UNPROVEN, "nobody counted the marker"),))
    assert grade(of(), doubted, was_ok=False)[0] is Grade.UNPROVEN
    assert grade(spec(), doubted, was_ok=False)[0] is BROKEN
    assert grade(of(), Reading(99.0), was_ok=False)[0] is BROKEN
