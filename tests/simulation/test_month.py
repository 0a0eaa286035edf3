"""A drain of thirty days passes its gates when it is over, not before, and soon after the last fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.conformance.issuer import Issuer
from migrator.gates.verdict import GateState
from tests.parts import require
from tests.parts.stage_file import create_side_tables
from tests.simulation.month import SPAN, Month, Town, environment, running_town
from tests.simulation.people import STEP, Fault, troubles, visitors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.postgres import PostgresServer

PEOPLE_COUNT, FAULT_COUNT = 8, 4
# Months that are soon over.
SEEDS = 18, 32, 71
LONG = [seed for seed in range(100) if seed not in SEEDS]
LINK_EVERYBODY = (
    "INSERT INTO migrator_identity (source, user_pk, auther_id) "
    "SELECT 'User', id::text, 'auther-user-' || id FROM users"
)
pytestmark = pytest.mark.xdist_group("month")


@pytest.fixture(scope="module")
def town(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    require("rails")
    with postgres.temporary_database(template=devise_template) as dsn, Issuer() as issuer:
        create_side_tables(dsn)
        with running_town(dsn, issuer, tmp_path_factory.mktemp("town")) as made:
            made.clubs[0].sql(LINK_EVERYBODY)
            yield made


def live(town: Town, root: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> Month:
    for name, value in environment(town).items():
        monkeypatch.setenv(name, value)
    people = visitors(seed, count=PEOPLE_COUNT)
    month = Month(town, root, people, troubles(seed, count=FAULT_COUNT))
    month.live()
    return month


def check(month: Month) -> None:
    assert month.passed_at is not None, month.seen[-1]
    assert month.passed_at >= month.quiet_from
    latest = max(month.quiet_from, month.sound_from) + SPAN // STEP + 2
    assert month.passed_at <= latest, [s.reasons for s in month.seen[-12:]]
    troubled = [seen for seen in month.seen if seen.troubled and seen.troubled != (Fault.RESET,)]
    assert {seen.step for seen in troubled} == set(troubled_looks(month))
    assert all(seen.state is not GateState.PASSED and seen.reasons for seen in troubled)
    # The gates had something to find.
    assert month.legacy_requests
    assert any(seen.state is GateState.FAILED for seen in month.seen)


def troubled_looks(month: Month) -> Iterator[int]:
    """Give the steps at which somebody looks while something other than a reset goes wrong."""
    for step in range(month.passed_at or 0):
        faults = {
            trouble.fault for trouble in month.troubles if trouble.begins <= step < trouble.ends
        }
        if faults - {Fault.RESET} and Fault.UNWATCHED not in faults:
            yield step


@pytest.mark.parametrize(
    "seed", [*SEEDS, *(pytest.param(s, marks=pytest.mark.long) for s in LONG)]
)
def test_the_gates_pass_when_it_is_over(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    check(live(town, tmp_path, monkeypatch, seed))


def test_three_months_know_every_fault_and_end_in_either_way() -> None:
    faults = [troubles(seed, count=FAULT_COUNT) for seed in SEEDS]
    assert {trouble.fault for month in faults for trouble in month} == set(Fault)
    sound_from = [max(trouble.ends for trouble in month) for month in faults]
    people = [visitors(seed, count=PEOPLE_COUNT) for seed in SEEDS]
    quiet_from = [max(visitor.gone_at for visitor in month) for month in people]
    assert {a > b for a, b in zip(sound_from, quiet_from, strict=True)} == {True, False}
