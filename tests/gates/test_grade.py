from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.gates.grade import grade
from migrator.metrics.interface import Doubt, Grade, Reading
from tests.gates.specs import spec

DOUBTS = [g for g in Grade if g not in {Grade.OK, Grade.BREACH}]
QUIET = spec(at_most=0)
BUSY = spec(measure="total_requests", at_most=None, at_least=100)


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_doubted_zero_is_no_zero(doubt: Grade) -> None:
    reading = Reading(0, (Doubt(doubt, "why"),))
    assert grade(QUIET, reading, was_ok=True) == (doubt, "why")


def test_what_is_surely_too_much_is_a_breach_whatever_else_is_doubted() -> None:
    reading = Reading(3, (Doubt(Grade.UNPROVEN, "web-2 is missing"),))
    assert grade(QUIET, reading, was_ok=True) == (Grade.BREACH, "3 is above 0")


def test_what_is_doubted_and_too_little_may_still_be_enough() -> None:
    reading = Reading(5, (Doubt(Grade.UNPROVEN, "web-2 is missing"),))
    assert grade(BUSY, reading, was_ok=True)[0] is Grade.UNPROVEN


def test_several_doubts_are_all_told_and_the_worst_gives_the_class() -> None:
    doubts = (Doubt(Grade.UNPROVEN, "a"), Doubt(Grade.ERROR, "b"), Doubt(Grade.UNPROVEN, "a"))
    assert grade(QUIET, Reading(0, doubts), was_ok=True) == (Grade.ERROR, "a; b")


WORST_FIRST = [Grade.ERROR, Grade.NO_DATA, Grade.STALE, Grade.AMBIGUOUS, Grade.UNPROVEN]


@pytest.mark.parametrize(("worse", "milder"), list(pairwise(WORST_FIRST)))
def test_of_two_doubts_the_one_to_look_at_first_gives_the_class(
    worse: Grade, milder: Grade
) -> None:
    doubts = (Doubt(milder, "a"), Doubt(worse, "b"))
    assert grade(QUIET, Reading(0, doubts), was_ok=True) == (worse, "a; b")


def test_no_value_is_no_data_and_nan_is_ambiguous() -> None:
    assert grade(QUIET, Reading(None), was_ok=True) == (Grade.NO_DATA, "nothing was measured")
    no_number = (Grade.AMBIGUOUS, "the value is not a number")
    assert grade(QUIET, Reading(math.nan), was_ok=True) == no_number
    assert grade(BUSY, Reading(math.nan), was_ok=True) == no_number


def test_a_value_at_its_bound_is_within_and_one_beside_it_is_not() -> None:
    assert grade(BUSY, Reading(100), was_ok=False) == (Grade.OK, "100, at least 100")
    assert grade(BUSY, Reading(99), was_ok=False) == (Grade.BREACH, "99 is below 100")
    few = spec(at_most=3, at_least=1)
    assert grade(few, Reading(3), was_ok=False) == (Grade.OK, "3, at most 3 and at least 1")
    assert grade(few, Reading(4), was_ok=False) == (Grade.BREACH, "4 is above 3")


def test_entering_is_harder_than_staying() -> None:
    calm = spec(measure="identity_conflicts", at_most=0, leave_above=2)
    assert grade(calm, Reading(2), was_ok=False)[0] is Grade.BREACH
    assert grade(calm, Reading(2), was_ok=True)[0] is Grade.OK
    assert grade(calm, Reading(3), was_ok=True)[0] is Grade.BREACH
    lively = spec(measure="total_requests", at_most=None, at_least=100, leave_below=50)
    assert grade(lively, Reading(60), was_ok=False)[0] is Grade.BREACH
    assert grade(lively, Reading(60), was_ok=True)[0] is Grade.OK


def test_too_little_in_too_short_a_time_is_not_known_yet() -> None:
    short = Reading(5, window=timedelta(seconds=1))
    said = "5 so far; the floor 100 is for 0:01:00"
    assert grade(BUSY, short, was_ok=True) == (Grade.NO_DATA, said)
    nine_tenths = Reading(5, window=timedelta(seconds=54))
    assert grade(BUSY, nine_tenths, was_ok=True)[0] is Grade.BREACH


@given(
    value=st.none() | st.floats(allow_nan=True),
    doubts=st.lists(st.sampled_from(DOUBTS), max_size=3),
    was_ok=st.booleans(),
)
def test_only_an_undoubted_number_within_its_bound_is_ok(
    value: float | None, doubts: list[Grade], was_ok: bool
) -> None:
    reading = Reading(value, tuple(Doubt(doubt, "") for doubt in doubts))
    ok = grade(spec(at_most=10), reading, was_ok=was_ok)[0] is Grade.OK
    assert ok == (value is not None and value <= 10 and not doubts)
