from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import ManualClock
from migrator.core.errors import RefusedError
from migrator.metrics.import_check import ImportCheck
from migrator.metrics.interface import Grade
from migrator.state.store import open_state

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.metrics.both_sides import ImportLook
    from migrator.state.ledger import Ledger


class Parts:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.ledger: Ledger = open_state("sqlite:s.db", root=folder, clock=self.clock).ledger

    def ran(self, action: str, **facts: object) -> None:
        with self.ledger.recorded("import", action) as outcome:
            outcome.update(facts)

    def fails(self, action: str, **facts: object) -> None:
        with suppress(RefusedError), self.ledger.recorded("import", action) as outcome:
            outcome.update(facts)
            raise RefusedError("it does not fit")

    def look(self) -> ImportLook:
        return ImportCheck(self.ledger, self.clock).look()

    @property
    def grade(self) -> Grade:
        (doubt,) = self.look().doubts
        return doubt.grade


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def test_without_a_verify_there_is_no_data(parts: Parts) -> None:
    parts.ran("run")
    assert parts.grade is Grade.NO_DATA


def test_the_newest_verify_after_the_newest_write_counts(parts: Parts) -> None:
    parts.ran("run")
    parts.ran("verify", differences=4)
    parts.ran("verify", differences=0)
    look = parts.look()
    assert (look.differences, look.doubts) == (0, ())


@pytest.mark.parametrize("action", ["run", "rollback"])
def test_a_write_after_the_verify_makes_it_stale(parts: Parts, action: str) -> None:
    parts.ran("verify", differences=0)
    parts.ran(action)
    assert parts.grade is Grade.STALE


def test_a_write_while_verifying_makes_it_stale_too(parts: Parts) -> None:
    verifying = parts.ledger.intent("import", "verify")
    parts.ran("run")
    parts.ledger.outcome(verifying, result="done", differences=0)
    assert parts.grade is Grade.STALE


def test_an_unfinished_run_before_the_verify_leaves_it_unproven(parts: Parts) -> None:
    parts.ledger.intent("import", "run")
    parts.ran("verify", differences=0)
    assert parts.grade is Grade.UNPROVEN


def test_a_verify_of_the_day_before_yesterday_is_stale(parts: Parts) -> None:
    parts.ran("verify", differences=0)
    parts.clock.at += timedelta(hours=24, seconds=1)
    assert parts.grade is Grade.STALE


def test_a_verify_that_broke_off_is_an_error_and_one_that_found_something_a_number(
    parts: Parts,
) -> None:
    parts.fails("verify")
    assert parts.grade is Grade.ERROR
    parts.fails("verify", differences=2)
    assert parts.look().differences == 2
