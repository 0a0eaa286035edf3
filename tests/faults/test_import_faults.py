"""An import meets one fault after the other; the end is the quiet run's, whatever they were."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from migrator.core.ids import mark_key
from phases import p1_import
from tests.faults.points import EVERYWHERE, ON_A_FILE, OVER_HTTP
from tests.faults.targets import (
    IMPORT_SECRET,
    EndpointTargets,
    FaultTarget,
    LibsqlTargets,
    SqliteTargets,
)
from tests.faults.trial import End, Size, end_of, trial_at
from tests.parts import require
from tests.parts.better_auth import start
from tests.parts.faulty_wire import FaultyTcp
from tests.phases.importing import MIGRATION_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.postgres import PostgresServer
    from tests.parts.sqld import Sqld

TRIALS, TRIALS_LONG = 50, 1000
FAULTS_AT_MOST = 3
# Of the long trials, so many have a server that is away for half a minute.
LONG_ABSENCES = 0.02


class Quiet(NamedTuple):
    """A run that nothing happened to."""

    end: End
    size: Size


@pytest.fixture(scope="session")
def targets(
    sqld_server: Sqld, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, FaultTarget]]:
    """The ways in."""
    require("node")
    path = tmp_path_factory.mktemp("faults") / "auther.db"
    environment = {
        "MIGRATOR_MARK": mark_key(MIGRATION_KEY.encode()).hex(),
        "MIGRATOR_SECRET_IMPORT": IMPORT_SECRET,
        "PLUGIN_DATABASE": "1",
    }
    with pytest.MonkeyPatch.context() as monkeypatch, start(path, env=environment) as auther:
        monkeypatch.setenv("FAULTS_IMPORT_SECRET", IMPORT_SECRET)
        found: tuple[FaultTarget, ...] = (
            SqliteTargets(),
            LibsqlTargets(sqld_server.base_url),
            EndpointTargets(auther, path),
        )
        yield {target.name: target for target in found}


@pytest.fixture(scope="session")
def quiet(
    targets: dict[str, FaultTarget],
    postgres: PostgresServer,
    devise_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Quiet]:
    """A quiet run over each way in."""
    return {
        name: _quiet_run(target, postgres, devise_template, tmp_path_factory.mktemp(name))
        for name, target in targets.items()
    }


def _quiet_run(target: FaultTarget, postgres: PostgresServer, template: str, root: Path) -> Quiet:
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        postgres.temporary_database(template=template) as dsn,
        FaultyTcp(postgres.port) as wire,
        trial_at(
            root, dsn, monkeypatch, wire=wire, target=target, seed=0, size=Size(0, 0, 0)
        ) as trial,
    ):
        began_s, asked = time.monotonic(), target.proxy.requests if target.proxy else 0
        outcome = p1_import.run(trial.site.ctx)
        took_s = time.monotonic() - began_s
        requests = target.proxy.requests - asked if target.proxy else 0
        end = end_of(trial.site, target, outcome)
        p1_import.rollback(trial.at_its_end())
        return Quiet(end, Size(took_s, wire.passed, requests))


SEEDS = [
    pytest.param(seed, marks=[pytest.mark.long] if seed >= TRIALS else [])
    for seed in range(TRIALS_LONG)
]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_end_is_that_of_a_quiet_run(
    seed: int,
    quiet: dict[str, Quiet],
    targets: dict[str, FaultTarget],
    postgres: PostgresServer,
    devise_db: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(f"trial {seed}")
    name = chance.choice(sorted(targets))
    target = targets[name]
    points = [*EVERYWHERE, *(OVER_HTTP if target.proxy else ON_A_FILE)]
    struck = [chance.choice(points) for _ in range(chance.randint(1, FAULTS_AT_MOST))]
    with (
        FaultyTcp(postgres.port) as wire,
        trial_at(
            tmp_path / "site",
            devise_db,
            monkeypatch,
            wire=wire,
            target=target,
            seed=seed,
            size=quiet[name].size,
            away_s=30 if chance.random() < LONG_ABSENCES and seed >= TRIALS else 1,
        ) as trial,
    ):
        for strike in struck:
            strike(trial)
        outcome = trial.finish()
        what = f"{name}: {[strike.__name__ for strike in struck]}"
        assert end_of(trial.site, target, outcome) == quiet[name].end, what
        end = trial.at_its_end()
        assert p1_import.verify(end).holds(), what
        assert end.state.ledger.pending() == [], what
        end.state.ledger.verify()
        p1_import.rollback(end)
