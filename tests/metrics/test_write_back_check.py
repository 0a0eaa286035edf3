from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import ManualClock, iso
from migrator.metrics.interface import Grade, Look
from migrator.metrics.measures import MEASURES, Terms
from migrator.metrics.write_back_check import LAST_PASS, SUBJECT, WriteBackCheck
from migrator.state.store import State, open_state

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock(datetime(2026, 11, 23, tzinfo=UTC))
TERMS = Terms(expected=1, within=timedelta(0), control=False, base=None)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state("sqlite:s.db", root=tmp_path, clock=CLOCK)


def passed(state: State, *, ago_s: float) -> None:
    at = iso(CLOCK.now() - timedelta(seconds=ago_s))
    found = {"at": at, "lag_seconds": 3.5, "open_users": 2}
    state.checkpoints.put(SUBJECT, LAST_PASS, found)


def test_a_write_back_that_never_ran_gives_no_data(state: State) -> None:
    (doubt,) = WriteBackCheck(state.checkpoints, CLOCK).look().doubts
    assert doubt == (Grade.NO_DATA, "never written back: migrator import write-back")


def test_one_that_stands_still_falls_behind_by_its_age(state: State) -> None:
    passed(state, ago_s=600)
    found = WriteBackCheck(state.checkpoints, CLOCK).look()
    assert (found.seconds, found.open_users) == (603.5, 2)


def test_a_pass_from_the_future_proves_nothing(state: State) -> None:
    passed(state, ago_s=-1)
    (doubt,) = WriteBackCheck(state.checkpoints, CLOCK).look().doubts
    assert doubt.grade is Grade.AMBIGUOUS


def test_gates_can_ask_for_seconds_and_for_people(state: State) -> None:
    passed(state, ago_s=0)
    look = Look(CLOCK.now(), write_back_check=WriteBackCheck(state.checkpoints, CLOCK).look())
    assert MEASURES["write_back_lag_seconds"].read(look, TERMS).value == 3.5
    assert MEASURES["write_back_open_users"].read(look, TERMS).value == 2
    empty = MEASURES["write_back_open_users"].read(Look(CLOCK.now()), TERMS)
    assert (empty.value, empty.doubts[0].grade) == (None, Grade.NO_DATA)
