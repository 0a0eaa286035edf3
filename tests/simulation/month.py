"""Thirty days of a drain in other time: real Rails instances, their real session table, real faults.

What the gates say is compared with the truth, which only this world knows.
"""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import psycopg

from migrator.config.load import load
from migrator.core.clock import ManualClock, iso
from migrator.core.progress import Progress
from migrator.core.stage import Stage, StageDocument
from migrator.gates.verdict import GateState, decide
from migrator.runner.context import make_context
from migrator.runner.stages import remember
from migrator.state.ledger import GENESIS
from phases import p3_drain
from tests.parts.other_time import OtherTime
from tests.parts.rails import prepare, settings_for
from tests.parts.stage_file import CONTROL_SECRET, METRICS_TOKEN
from tests.shims.rails.club import XHR, Club, oracle, sub_of
from tests.simulation.people import MONTH, SESSION_TTL, STEP, Fault, Trouble, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import httpx

    from migrator.conformance.issuer import Issuer
    from migrator.runner.context import Context

BEGINS = datetime(2027, 3, 1, tzinfo=UTC)
PEOPLE = tuple(int(i) for i, row in list(oracle().items())[:60] if row["category"] == "plain")
WATCHER = "drain_watcher"
# Every gate needs a day's quiet at most.
SPAN = timedelta(hours=24)
CONFIG = """
[migration]
name = "club"
key = "env:MIGRATION_KEY"
[legacy]
dsn = "env:LEGACY_DATABASE_URL"
[auther]
database = "auther.db"
[import]
verified_when = "confirmed"
[stage]
signing_key = "file:stage.key"
expected_instances = ["web-1", "web-2"]
heartbeat_within = "5m"
[drain]
shims = {shims}
metrics_token = "env:MIGRATOR_METRICS_TOKEN"
control_secret = "env:MIGRATOR_CONTROL_SECRET"
statement_timeout = "0.5s"
[[gates]]
name = "drain-quiet"
before = "auther"
measure = "legacy_requests"
at_most = 0
consecutive = 3
span = "24h"
interval = "3h"
[[gates]]
name = "drain-sessions"
before = "auther"
measure = "legacy_sessions"
at_most = 0
consecutive = 3
span = "6h"
interval = "3h"
[[gates]]
name = "drain-traffic"
before = "auther"
measure = "total_requests"
at_least = 2
consecutive = 3
span = "24h"
interval = "3h"
[[gates]]
name = "drain-verification"
before = "auther"
measure = "verification_unavailable"
at_most = 0
consecutive = 3
span = "24h"
interval = "3h"
"""


@dataclass(frozen=True)
class Town:
    """Two instances of the application over one database, each with a time of its own."""

    clubs: tuple[Club, Club]
    times: tuple[OtherTime, OtherTime]
    dsn: str
    watcher_dsn: str

    def set_time(self, at: datetime, *, skewed: bool) -> None:
        """Let it be this time; on the second instance some hours later if its clock is wrong."""
        self.times[0].set(at)
        self.times[1].set(at + timedelta(hours=5) if skewed else at)

    def set_stage(self, stage: Stage) -> None:
        """Publish a stage to both."""
        for club in self.clubs:
            club.set_stage(stage)


@contextmanager
def running_town(dsn: str, issuer: Issuer, folder: Path) -> Iterator[Town]:
    """Start both instances on a database that has the side tables and everybody linked."""
    watcher = _make_watcher(dsn)
    with ExitStack() as stack:
        clubs, times = [], []
        for number in (1, 2):
            time = OtherTime(folder / f"time-{number}")
            time.set(BEGINS)
            extra = {
                **time.environment,
                "SESSION_STORE": "record",
                "SESSION_TIMEOUT_H": str(SESSION_TTL // timedelta(hours=1)),
                "MIGRATOR_INSTANCE": f"web-{number}",
            }
            app = prepare(
                dsn, settings_for(issuer), pepper=oracle()[PEOPLE[0]]["pepper"], extra=extra
            )
            stack.callback(app.remove)
            app.start()
            clubs.append(Club(app, issuer, dsn))
            times.append(time)
        yield Town((clubs[0], clubs[1]), (times[0], times[1]), dsn, watcher)


def _make_watcher(dsn: str) -> str:
    """Give a DSN of a role that may only read."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {WATCHER}")
        connection.execute(f"CREATE ROLE {WATCHER} LOGIN PASSWORD 'watcher'")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {WATCHER}")
    return psycopg.conninfo.make_conninfo(dsn, user=WATCHER, password="watcher")


@dataclass(frozen=True)
class Seen:
    """What one look gave, beside the truth at that moment."""

    step: int
    state: GateState
    reasons: tuple[str, ...]
    troubled: tuple[Fault, ...]


@dataclass
class Month:
    """One run through a drain.

    Attributes:
        quiet_from: The first step at which no session was left and nobody came on the legacy path.
        passed_at: The first step at which all gates had passed.
        legacy_requests: How many were really made.
    """

    town: Town
    root: Path
    people: Sequence[Visitor]
    troubles: Sequence[Trouble]
    seen: list[Seen] = field(default_factory=list)
    legacy_requests: int = 0
    passed_at: int | None = None

    @property
    def quiet_from(self) -> int:
        """The truth: from this step on nobody is on the legacy path, and nobody could be."""
        return max(visitor.gone_at for visitor in self.people)

    @property
    def sound_from(self) -> int:
        """The first step after the last fault."""
        return max((trouble.ends for trouble in self.troubles), default=0)

    def live(self) -> None:
        """Let the month pass until the gates let the next stage begin."""
        self._configure()
        clock = ManualClock(BEGINS)
        self.town.set_time(BEGINS, skewed=False)
        self.town.set_stage(Stage.DUAL)
        browsers = self._sign_everybody_in()
        self.town.set_stage(Stage.DRAIN)
        self._remember_stage(clock)
        for step in range(MONTH // STEP):
            clock.at = BEGINS + step * STEP
            troubled = self._change_faults(step)
            self.town.set_time(clock.at, skewed=Fault.SKEWED in troubled)
            self._come_and_go(step, browsers, troubled, clock.at)
            if Fault.UNWATCHED in troubled:
                continue
            if self._look(step, clock, troubled) is GateState.PASSED:
                self.passed_at = step
                return

    def _configure(self) -> None:
        addresses = json.dumps([club.app.base_url for club in self.town.clubs])
        (self.root / "migrator.toml").write_text(CONFIG.format(shims=addresses))

    def _context(self, clock: ManualClock) -> Context:
        config = load(self.root / "migrator.toml")
        return make_context(config, root=self.root, clock=clock, progress=Progress())

    def _remember_stage(self, clock: ManualClock) -> None:
        document = StageDocument(
            namespace="club",
            epoch=7,
            stage=Stage.DRAIN,
            percent=100,
            salt="00",
            issued_at=iso(clock.now()),
            ledger_head=GENESIS,
            ledger_length=0,
        )
        remember(self._context(clock), document)

    def _sign_everybody_in(self) -> list[httpx.Client]:
        club = self.town.clubs[0]
        club.sql("DELETE FROM sessions")
        club.reset_people()
        browsers = []
        for user_id in PEOPLE[: len(self.people)]:
            browser = club.browser()
            assert club.sign_in(browser, user_id).status_code == 302
            browsers.append(browser)
        return browsers

    def _change_faults(self, step: int) -> tuple[Fault, ...]:
        for trouble in self.troubles:
            if trouble.begins == step:
                _begin(self.town, trouble.fault)
            if trouble.ends == step:
                _end(self.town, trouble.fault)
        return tuple(t.fault for t in self.troubles if t.begins <= step < t.ends)

    def _come_and_go(
        self,
        step: int,
        browsers: list[httpx.Client],
        troubled: tuple[Fault, ...],
        now: datetime,
    ) -> None:
        """Some open a page with their old session, one with a token, one without anything."""
        reachable = self.town.clubs[:1] if _is_down(troubled) else self.town.clubs
        user_id = PEOPLE[0]
        issued_s = int(now.timestamp()) - 60
        for club in reachable:
            token = club.issuer.make_token(sub_of(user_id), iat=issued_s, exp=issued_s + 86_400)
            with club.browser() as browser:
                club.csrf_token(browser, "/", form=False)
                headers = {"Authorization": f"Bearer {token}", **XHR}
                assert browser.get("/whoami", headers=headers).json()["user"] == user_id
        for number, (visitor, browser) in enumerate(zip(self.people, browsers, strict=True)):
            if step in visitor.visits:
                self._visit(reachable[number % len(reachable)], browser, number)
            if step == visitor.leaves_at and visitor.signs_out:
                self._sign_out(browser)
            elif step == visitor.gone_at:
                _sweep(self.town, browser)

    def _visit(self, club: Club, browser: httpx.Client, number: int) -> None:
        answer = browser.get(f"{club.app.base_url}/whoami", headers=XHR)
        assert answer.json().get("user") == PEOPLE[number], answer.text
        self.legacy_requests += 1

    def _sign_out(self, browser: httpx.Client) -> None:
        club = self.town.clubs[0]
        token = club.csrf_token(browser, "/", form=False)
        headers = {"X-CSRF-Token": token, "Accept": "text/html"}
        assert browser.delete("/users/sign_out", headers=headers).status_code < 400
        self.legacy_requests += 2

    def _look(self, step: int, clock: ManualClock, troubled: tuple[Fault, ...]) -> GateState:
        ctx = self._context(replace(clock))
        planned = p3_drain.plan(ctx, step="auther")
        verdicts = p3_drain.run(ctx, planned)
        state = decide([verdict.state for verdict in verdicts])
        reasons = tuple(
            f"{v.gate.name}: {v.state} {v.reason}"
            for v in verdicts
            if v.state is not GateState.PASSED
        )
        self.seen.append(Seen(step, state, reasons, troubled))
        return state


def environment(town: Town) -> dict[str, str]:
    """What the operator has set."""
    return {
        "LEGACY_DATABASE_URL": town.watcher_dsn,
        "MIGRATOR_METRICS_TOKEN": METRICS_TOKEN,
        "MIGRATOR_CONTROL_SECRET": CONTROL_SECRET,
    }


def _is_down(troubled: Sequence[Fault]) -> bool:
    return Fault.KILLED in troubled or Fault.FROZEN in troubled


def _begin(town: Town, fault: Fault) -> None:
    app = town.clubs[1].app
    if fault is Fault.KILLED and app.process is not None:
        os.killpg(app.process.pid, signal.SIGKILL)
        app.process.wait()
    elif fault is Fault.FROZEN and app.process is not None and app.process.poll() is None:
        os.killpg(app.process.pid, signal.SIGSTOP)
    elif fault is Fault.FORBIDDEN:
        town.clubs[0].sql(f"REVOKE SELECT ON sessions FROM {WATCHER}")
    elif fault is Fault.UNDECODABLE:
        town.clubs[0].sql(
            "INSERT INTO sessions (session_id, data, created_at, updated_at)"
            " VALUES ('2::cut-off', 'BAh7B0kiD3', now(), now())"
        )
    elif fault is Fault.OTHER_SECRET:
        os.environ["MIGRATOR_CONTROL_SECRET"] = "the-secret-of-before"
    elif fault is Fault.RESET:
        for file in (app.folder / "tmp" / "auther_cutover").glob("counters-*"):
            file.unlink()


def _end(town: Town, fault: Fault) -> None:
    app = town.clubs[1].app
    if fault is Fault.KILLED:
        app.start()
        town.clubs[1].wait_for_epoch(app.stage.document.epoch)
    elif fault is Fault.FROZEN and app.process is not None and app.process.poll() is None:
        os.killpg(app.process.pid, signal.SIGCONT)
    elif fault is Fault.FORBIDDEN:
        town.clubs[0].sql(f"GRANT SELECT ON sessions TO {WATCHER}")
    elif fault is Fault.UNDECODABLE:
        town.clubs[0].sql("DELETE FROM sessions WHERE session_id = '2::cut-off'")
    elif fault is Fault.OTHER_SECRET:
        os.environ["MIGRATOR_CONTROL_SECRET"] = CONTROL_SECRET


def _sweep(town: Town, browser: httpx.Client) -> None:
    """Do what a nightly job does with a session that was not used for a TTL."""
    private_id = sha256(browser.cookies["_club_session"].encode()).hexdigest()
    removed = town.clubs[0].sql(
        "DELETE FROM sessions WHERE session_id = %s RETURNING id", f"2::{private_id}"
    )
    assert len(removed) == 1, removed
