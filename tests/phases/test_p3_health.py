"""Health of a real application with a generated shim in it, and the stage that goes back by itself."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier, Thread
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from migrator.config.load import load
from migrator.conformance.issuer import Issuer
from migrator.core.clock import ManualClock, SystemClock, iso
from migrator.core.progress import Progress
from migrator.core.stage import Stage
from migrator.runner import stages
from migrator.runner.context import Context, make_context
from migrator.runner.stages import SET, Position
from migrator.runner.switching.publishing import public_key
from migrator.runner.switching.switch import switch
from phases import p3_drain
from tests.parts.asgi import AsgiApp, prepare
from tests.parts.postgres import free_port
from tests.parts.stage_file import CONTROL_SECRET, METRICS_TOKEN, shim_settings
from tests.phases.switching import Switching, make_switching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 30
BEFORE, NOW = Position(Stage.DUAL, 10.0), Position(Stage.DUAL, 50.0)
INTERVAL = timedelta(minutes=1)
DRAIN = """
[drain]
shims = ["{address}"]
metrics_token = "env:MIGRATOR_METRICS_TOKEN"
control_secret = "env:MIGRATOR_CONTROL_SECRET"
health_window = "1m"
[[regress]]
name = "errors"
measure = "error_ratio"
at_most = 0.05
interval = "1m"
roll_back = {roll_back}
"""
# Dies with its intent in the ledger, before its document is out or right after it.
KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.runner import stages
from migrator.runner.context import make_context
from migrator.runner.switching import switch
from phases import p3_drain

root, at, point = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), sys.argv[3]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if point == "before":
    switch.publish = die
else:
    stages.remember = die
config = load(root / "migrator.toml")
ctx = make_context(config, root=root, clock=ManualClock(at), progress=Progress())
p3_drain.watch(ctx, p3_drain.plan(ctx))
"""


@dataclass
class Club:
    """The application, and the operator's folder whose clock stands still."""

    app: AsgiApp
    site: Switching
    issuer: Issuer
    clock: ManualClock
    ctx: Context

    def again(self, **changes: str) -> Context:
        """Read the configuration anew, as another command does."""
        path = self.site.root / "migrator.toml"
        text = path.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        return make_context(
            load(path), root=self.site.root, clock=ManualClock(self.clock.at), progress=Progress()
        )

    def ask(self, times: int = 30) -> None:
        """Bring a token whose keys nobody can fetch: 503 each time."""
        bearer = {"Authorization": f"Bearer {self.issuer.make_token(sub='somebody')}"}
        with httpx.Client(base_url=self.app.base_url) as client:
            for _ in range(times):
                assert client.get("/whoami", headers=bearer).status_code == 503

    def look(self, ctx: Context | None = None) -> None:
        """Watch for one look, a minute after the last one."""
        self.clock.sleep(INTERVAL.total_seconds())
        with psycopg.connect(self.site.dsn, autocommit=True) as connection:
            connection.execute("UPDATE migrator_instance SET seen_at = now()")
        watch(ctx or self.ctx)

    def break_down(self, looks: int) -> None:
        for _ in range(looks):
            self.ask()
            self.look()

    @property
    def position(self) -> Position:
        return stages.position(self.site.read())

    def rollbacks(self) -> list[dict[str, object]]:
        entries = self.ctx.state.ledger.entries(subject="stage")
        return [e.body for e in entries if (e.action, e.kind) == ("rollback", "intent")]

    def outcomes(self) -> list[str]:
        entries = self.ctx.state.ledger.entries(subject="stage")
        return [e.body["result"] for e in entries if (e.action, e.kind) == ("rollback", "outcome")]


def watch(ctx: Context) -> None:
    p3_drain.watch(ctx, p3_drain.plan(ctx))


def make_club(root: Path, dsn: str, monkeypatch: pytest.MonkeyPatch, roll_back: str) -> Club:
    monkeypatch.setenv("MIGRATOR_METRICS_TOKEN", METRICS_TOKEN)
    monkeypatch.setenv("MIGRATOR_CONTROL_SECRET", CONTROL_SECRET)
    site = make_switching(root, dsn, monkeypatch)
    issuer = Issuer(port=free_port())
    settings = shim_settings(issuer, stage_public_key=public_key(site.ctx), redirect_uri="")
    document = root / ".migrator" / "stage.json"
    app = prepare(dsn, issuer, settings=settings, stage_file=document)
    path = root / "migrator.toml"
    path.write_text(path.read_text() + DRAIN.format(address=app.base_url, roll_back=roll_back))
    clock = ManualClock(SystemClock().now())
    ctx = make_context(load(path), root=root, clock=clock, progress=Progress())
    with ctx.state.locks.held("stage") as lease:
        for position in (BEFORE, NOW):
            switch(ctx, lease, SET, position)
    return Club(app, site, issuer, clock, ctx)


def begin(club: Club) -> None:
    """Start the application, wait until it reports, and take the first look."""
    club.app.start()
    ends = time.monotonic() + PATIENCE_S
    with psycopg.connect(club.site.dsn, autocommit=True) as connection:
        while not connection.execute("SELECT 1 FROM migrator_instance").fetchone():
            assert time.monotonic() < ends
            time.sleep(0.05)
    club.look()


@pytest.fixture
def club(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Club]:
    club = make_club(tmp_path, devise_db, monkeypatch, roll_back="true")
    begin(club)
    yield club
    club.app.remove()


def test_a_breach_that_is_certain_takes_the_stage_back_once(club: Club) -> None:
    club.break_down(2)
    assert club.position == NOW
    club.break_down(1)
    assert club.position == BEFORE
    (body,) = club.rollbacks()
    assert (body["regress"], len(body["evidence"])) == ("errors", 3)  # type: ignore[arg-type]
    assert "is above 0.05, 3 times in a row" in str(body["reason"])
    # The way behind is shorter by one step, and within a day nothing goes back by itself again.
    club.break_down(5)
    assert (club.position, len(club.rollbacks())) == (BEFORE, 1)
    note = club.ctx.state.ledger.entries(subject="regress")
    assert len(note) == 1
    assert "it went back by itself at" in note[0].body["kept"]
    assert club.ctx.state.ledger.verify() == []


def test_what_went_wrong_before_the_stage_moved_takes_nothing_back(club: Club) -> None:
    club.ctx = club.again(**{'health_window = "1m"': 'health_window = "5m"'})
    club.clock = club.ctx.clock  # type: ignore[assignment]
    club.break_down(4)
    further = Position(Stage.DUAL, 60.0)
    with club.ctx.state.locks.held("stage") as lease:
        switch(club.ctx, lease, SET, further)
    for _ in range(3):
        with httpx.Client(base_url=club.app.base_url) as client:
            for _ in range(30):
                client.get("/whoami")
        club.look()
    assert (club.position, club.rollbacks()) == (further, [])


def test_missing_data_and_doubts_take_nothing_back(club: Club) -> None:
    club.break_down(2)
    club.app.stop()
    for _ in range(4):
        club.look()
    alone = club.again(**{"expected_instances = 1": "expected_instances = 2"})
    club.app.start()
    for _ in range(6):
        club.ask()
        alone.clock.sleep(INTERVAL.total_seconds())
        club.look(alone)
    assert (club.position, club.rollbacks()) == (NOW, [])


def test_without_the_word_of_the_configuration_it_is_only_said(club: Club) -> None:
    ctx = club.again(**{"roll_back = true": "roll_back = false"})
    for _ in range(5):
        club.ask()
        ctx.clock.sleep(INTERVAL.total_seconds())
        club.look(ctx)
    assert (club.position, club.rollbacks()) == (NOW, [])
    (note,) = ctx.state.ledger.entries(subject="regress")
    assert note.body["kept"] == "roll_back is off"


def test_two_watches_at_the_same_time_take_the_stage_back_once(club: Club) -> None:
    club.break_down(2)
    club.ask()
    club.clock.sleep(INTERVAL.total_seconds())
    start = Barrier(2, timeout=PATIENCE_S)

    def look(ctx: Context) -> None:
        start.wait()
        watch(ctx)

    watches = [Thread(target=look, args=(club.again(),)) for _ in range(2)]
    for one in watches:
        one.start()
    for one in watches:
        one.join()
    # Which of them took a sample is left to them.
    club.break_down(3)
    assert (club.position, club.outcomes()) == (BEFORE, ["published"])


@pytest.mark.parametrize(
    ("point", "outcome"), [("before", "not published"), ("after", "published")]
)
def test_a_watch_that_was_killed_is_finished_by_the_next_one(
    club: Club, point: str, outcome: str
) -> None:
    club.break_down(2)
    club.ask()
    at = iso(club.clock.at + INTERVAL)
    arguments = [sys.executable, "-c", KILLED, str(club.site.root), at, point]
    assert subprocess.run(arguments, check=False).returncode == -9
    assert len(club.rollbacks()) == 1
    assert club.outcomes() == []
    club.look()
    assert club.outcomes() == [outcome]
    club.break_down(4)
    assert club.position == BEFORE
    assert club.outcomes().count("published") == 1


def test_below_the_floor_nothing_goes_back(club: Club) -> None:
    club.ctx.state.checkpoints.put("remove", "applied", ["01_guard", "05_quarantine_tables"])
    club.break_down(4)
    assert (club.position, club.rollbacks()) == (NOW, [])


def test_health_is_shown_with_what_is_not_known(club: Club) -> None:
    club.ask()
    club.clock.sleep(INTERVAL.total_seconds())
    picture = p3_drain.health(club.ctx)
    rows = {row.measure: row for row in picture.rows}
    assert rows["error_ratio"].evidence["counted"] == 30
    assert (rows["error_ratio"].bound, rows["error_ratio"].verdict) == (
        picture.regresses[0].bound,
        "BREACH",
    )
    assert (rows["login_refusals"].bound, rows["login_refusals"].verdict) == ("", "")
    assert rows["sign_in_success"].value is None
    assert "every instance was seen in 50% of the last 2m" in rows["sign_in_success"].why
    assert rows["shim_p95_seconds"].value is not None
    assert [row.name for row in picture.regresses] == ["errors"]
