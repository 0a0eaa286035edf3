"""How far the last pass of the sync and of the write-back left the other side behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from migrator.core.clock import ManualClock, iso
from migrator.metrics.interface import Grade
from migrator.metrics.last_pass import LAST_PASS
from migrator.metrics.look import Look
from migrator.metrics.measures import MEASURES, Terms
from migrator.metrics.sync_check import SyncCheck
from migrator.metrics.write_back_check import WriteBackCheck
from migrator.state.store import State, open_state

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.metrics.both_sides import SyncLook, WriteBackLook

CLOCK = ManualClock(datetime(2026, 11, 23, tzinfo=UTC))
TERMS = Terms(expected=1, within=timedelta(0), control=False, base=None)


@dataclass(frozen=True)
class Case:
    """One of the two.

    Attributes:
        part: Its name in a look.
        left: What a pass left.
        measures: What gates ask for, right after that pass.
    """

    subject: str
    check: type[SyncCheck | WriteBackCheck]
    part: str
    left: dict[str, float]
    measures: dict[str, float]

    def look(self, state: State) -> SyncLook | WriteBackLook:
        """Look at a state."""
        return self.check(state.checkpoints, CLOCK).look()

    def passed(self, state: State, *, ago_s: float) -> None:
        """Have a pass ended so long ago."""
        found: dict[str, Any] = {"at": iso(CLOCK.now() - timedelta(seconds=ago_s)), **self.left}
        state.checkpoints.put(self.subject, LAST_PASS, found)


CASES = [
    Case(
        "sync",
        SyncCheck,
        "sync_check",
        {"rows": 2, "seconds": 3.5, "quarantined": 1},
        {"sync_lag_seconds": 3.5, "sync_lag_rows": 2},
    ),
    Case(
        "write-back",
        WriteBackCheck,
        "write_back_check",
        {"lag_seconds": 3.5, "open_users": 2},
        {"write_back_lag_seconds": 3.5, "write_back_open_users": 2},
    ),
]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state("sqlite:s.db", root=tmp_path, clock=CLOCK)


@pytest.fixture(params=CASES, ids=lambda case: case.subject)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def test_what_never_ran_gives_no_data(state: State, case: Case) -> None:
    (doubt,) = case.look(state).doubts
    assert doubt == (Grade.NO_DATA, f"no pass yet: migrator import {case.subject}")


def test_what_stands_still_falls_behind_by_its_age(state: State, case: Case) -> None:
    case.passed(state, ago_s=600)
    assert case.look(state).seconds == 603.5


def test_a_pass_from_the_future_proves_nothing(state: State, case: Case) -> None:
    case.passed(state, ago_s=-1)
    (doubt,) = case.look(state).doubts
    assert doubt.grade is Grade.AMBIGUOUS


def test_gates_can_ask_for_seconds_and_for_how_many(state: State, case: Case) -> None:
    case.passed(state, ago_s=0)
    look = Look(CLOCK.now(), **{case.part: case.look(state)})  # type: ignore[arg-type]
    for name, value in case.measures.items():
        assert MEASURES[name].read(look, TERMS).value == value
        empty = MEASURES[name].read(Look(CLOCK.now()), TERMS)
        assert (empty.value, empty.doubts[0].grade) == (None, Grade.NO_DATA)
