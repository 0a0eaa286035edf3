"""What a real application that nobody else uses goes through when it is deployed again, and is killed."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import psycopg

from migrator.config.secrets import SecretRef
from migrator.conformance.issuer import Issuer
from migrator.core.clock import SystemClock
from migrator.core.stage import Stage
from migrator.gates.evaluate import Sample, evaluate
from migrator.gates.grade import grade
from migrator.gates.verdict import GateState
from migrator.metrics.base import Base, base_from_json
from migrator.metrics.instances import Instances
from migrator.metrics.look import Look
from migrator.metrics.measures import MEASURES, Terms
from migrator.metrics.shim_counters import ShimCounters
from tests.gates.specs import AT, spec
from tests.parts.stage_file import CONTROL_SECRET, METRICS_TOKEN, create_side_tables
from tests.shims.asgi.club import BOB, oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    import pytest

    from migrator.gates.verdict import Verdict
    from tests.parts.program import Program
    from tests.shims.conforming import App

INTERVAL = timedelta(seconds=10)
WITHIN = timedelta(minutes=1)
PATIENCE_S = 30
QUIET = spec(consecutive=2, span=3 * INTERVAL, interval=INTERVAL)


class Club(Protocol):
    """An application with its database, as a target's own tests use it."""

    @property
    def app(self) -> Program: ...

    @property
    def dsn(self) -> str: ...

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]: ...

    def wait_for(self, condition: Callable[[], bool]) -> None: ...

    def link_everybody(self) -> None: ...


ClubT = TypeVar("ClubT", bound=Club)


@contextmanager
def running_alone(
    dsn: str, prepare: Callable[..., App], club: Callable[[Any, Issuer, str], ClubT]
) -> Iterator[ClubT]:
    """Run an application in stage dual 0 %, everybody linked.

    Args:
        dsn: Its database, which no other instance uses.
        prepare: Makes it; of `tests.parts`.
        club: What its tests use, made of the application, its issuer and its database.
    """
    create_side_tables(dsn)
    with Issuer() as issuer:
        app = prepare(dsn, issuer, pepper=oracle()[BOB]["pepper"])
        app.stage.set(Stage.DUAL)
        made = club(app, issuer, dsn)
        made.link_everybody()
        app.start()
        yield made
        app.remove()


@dataclass
class Watched:
    """One application, and a gate on its legacy requests; between two looks lies an interval of the gate's time."""

    app: Program
    dsn: str
    base: Base | None = None
    samples: list[Sample] = field(default_factory=list)

    def wait_for_heartbeat(self) -> None:
        """Wait until it has reported itself."""
        until = time.monotonic() + PATIENCE_S
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            while not connection.execute("SELECT FROM migrator_instance").fetchall():
                assert time.monotonic() < until, self.app.log[-2000:]
                time.sleep(0.05)

    def look(self) -> Verdict:
        """Look by the real sources, and judge."""
        at = AT + len(self.samples) * INTERVAL
        shims = ShimCounters(
            addresses=(self.app.base_url,),
            metrics_token=METRICS_TOKEN,
            control_secret=CONTROL_SECRET,
            timeout=timedelta(seconds=20),
            fresh_for=WITHIN,
            clock=SystemClock(),
        ).look()
        fleet = Instances(SecretRef("env", "DEPLOYED_DSN"), Path(), timedelta(seconds=20)).look()
        found = Look(at, shims=shims, fleet=fleet)
        terms = Terms(1, WITHIN, control=True, base=self.base)
        reading = MEASURES["legacy_requests"].read(found, terms)
        self.base = base_from_json(reading.evidence["base"])
        result, reason = grade(QUIET, reading, was_ok=False)
        lost = bool(reading.lost)
        self.samples.append(Sample(at, result, reading.value, reason, QUIET.hash, lost=lost))
        return evaluate(QUIET, self.samples, now=at)

    def passes(self) -> bool:
        """Look until the gate passes, as often as that takes where nothing is wrong."""
        return any(self.look().state is GateState.PASSED for _ in range(5))

    def deploy(self) -> None:
        """Stop it as a deployment does, and start it anew."""
        self.app.stop()
        self.app.start()

    def kill(self) -> None:
        """End it without a word, and start it anew."""
        assert self.app.process is not None
        os.killpg(self.app.process.pid, signal.SIGKILL)
        self.app.process.wait()
        self.app.start()

    def let_the_dead_be_silent(self) -> None:
        """Let those that have neither ended nor serve have been silent for long enough."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(
                "UPDATE migrator_process SET seen_at = seen_at - %s WHERE ended_at IS NULL"
                " AND began_at < (SELECT max(began_at) FROM migrator_process)",
                (2 * WITHIN,),
            )


def check_deployments(
    app: Program, dsn: str, monkeypatch: pytest.MonkeyPatch, *, legacy_request: Callable[[], None]
) -> None:
    """Deploy and kill a running application, of which a gate wants no legacy request.

    Args:
        app: It runs.
        dsn: Its database, which no other instance uses.
        monkeypatch: Of the test.
        legacy_request: Makes one.
    """
    monkeypatch.setenv("DEPLOYED_DSN", dsn)
    watched = Watched(app, dsn)
    watched.wait_for_heartbeat()
    assert watched.passes(), watched.samples

    watched.deploy()
    # Nobody ever reads this one, which is asked for nothing.
    watched.deploy()
    assert watched.look().state is GateState.PASSED, watched.samples[-1]

    legacy_request()
    watched.deploy()
    verdict = watched.look()
    assert (verdict.state, verdict.value) == (GateState.FAILED, 1), watched.samples[-1]
    assert watched.passes(), watched.samples

    watched.kill()
    assert watched.look().state is GateState.HELD, watched.samples[-1]
    watched.let_the_dead_be_silent()
    assert watched.look().state is GateState.HELD
    assert watched.samples[-1].reason.endswith("is gone: what it counted last is lost")
    states = [watched.look().state for _ in range(3)]
    assert GateState.PASSED not in states
    assert watched.passes(), watched.samples


def check_waiting_for_the_row(
    club: Club, session: httpx.Client, nobody: httpx.Client, *, path: str, complaint: str
) -> None:
    """Start an application that can't write its row yet, and one that has no table for it.

    Args:
        club: It runs.
        session: Somebody with a legacy session.
        nobody: Somebody without any.
        path: Where it says who is there.
        complaint: What its log says of a row that could not be written.
    """
    club.app.stop()
    with psycopg.connect(club.dsn) as blocker:
        blocker.execute("LOCK migrator_process IN EXCLUSIVE MODE")
        club.app.start()
        refused = session.get(path)
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
        assert nobody.get(path).json()["user"] is None
        blocker.rollback()
    club.wait_for(lambda: session.get(path).status_code == HTTPStatus.OK)
    written = "SELECT count(*) FROM migrator_process WHERE instance = 'web-1' AND ended_at IS NULL"
    assert club.sql(written) == [(1,)]

    # Without the table everything goes on as before.
    club.app.stop()
    club.sql("DROP TABLE migrator_process")
    club.app.start()
    assert session.get(path).json()["credential"] == "session"
    club.app.stop()
    assert complaint not in club.app.log
