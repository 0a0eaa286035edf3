"""One import under one drawn fault, and what it has to end like."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.errors import ConflictError, DependencyError, MigratorError
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from phases import p1_import
from tests.phases.importing import NOW, Site, counts, make_site, rejects_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    import pytest

    from migrator.runner.context import Context
    from migrator.runner.importing.outcome import Outcome
    from tests.faults.targets import FaultTarget
    from tests.parts.faulty_wire import FaultyTcp

USERS, PAGE_ROWS = 600, 50
CONFIG, LARGE_PAGES = "migrator.toml", "large_pages.toml"
# Shorter than points.SLOW_S.
TIMEOUT_S = 1
# A server that is away comes back after `Trial.away_s` at the latest; then a run takes a second or two.
MORE_PATIENCE_S = 30
LEASE_ENDS = timedelta(hours=1)
# Processes begin with everything imported, as copies of one that has done nothing else.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", __name__])
UNFINISHED = {0, 3, 4, 5, -signal.SIGKILL}


class SteppingClock(ManualClock):
    """Stands still, and is set to another time at its n-th look."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._looks: int | None = None
        self._by = timedelta()

    def step_at(self, look: int, by: timedelta) -> None:
        """Have it set so many looks from now."""
        self._looks, self._by = look, by

    def now(self) -> datetime:
        """Give the time."""
        if self._looks is not None:
            self._looks -= 1
            if self._looks < 0:
                self._looks = None
                self.sleep(self._by.total_seconds())
        return super().now()


@dataclass(frozen=True)
class Trial:
    """An import that something is about to happen to.

    Attributes:
        rng: Everything that is left to chance comes from here.
        wire: Between the import and the application's database.
        size: What a quiet run takes.
        away_s: For how long a server is away when it goes.
    """

    rng: random.Random
    site: Site
    clock: SteppingClock
    wire: FaultyTcp
    target: FaultTarget
    size: Size
    away_s: float = 1

    def attempt(self) -> Outcome | None:
        """Run the import once; None when a dependency failed."""
        try:
            return p1_import.run(self.site.ctx)
        except (DependencyError, ConflictError):
            self.clock.sleep(LEASE_ENDS.total_seconds())
            return None

    def in_a_process(self, *, kill_after_s: float | None = None, file_bytes: int = 0) -> None:
        """Run the import in a process of its own, which is killed or may not write large files."""
        process = Attempt(self.site.root, self.clock.now(), file_bytes=file_bytes).started()
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            process.kill()
        process.join()
        assert process.exitcode in UNFINISHED
        self.clock.sleep(LEASE_ENDS.total_seconds())

    def at_its_end(self) -> Context:
        """Open the migration for work in which nothing goes wrong: few pages cost less."""
        self.wire.calm()
        return opened(self.site.root, self.clock, file=LARGE_PAGES)

    def finish(self) -> Outcome:
        """Give the same command again until it ends well."""
        patience_s = self.away_s + MORE_PATIENCE_S
        until_s = time.monotonic() + patience_s
        while time.monotonic() < until_s:
            outcome = self.attempt()
            if outcome is not None:
                return outcome
            time.sleep(0.1)
        raise AssertionError(f"not finished after {patience_s} s")


@dataclass(frozen=True)
class Attempt:
    """An import, or its rollback, in a process of its own.

    Attributes:
        at: What its clock says, all the time.
        work: The name of a function of `p1_import`.
        file_bytes: No file that it writes may grow beyond that; 0 is no limit.
    """

    root: Path
    at: datetime
    work: str = "run"
    file_bytes: int = 0
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def started(self) -> BaseProcess:
        """Start the process, and wait until the work is about to begin."""
        is_ready, ready = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=self.run, args=(ready,))
        process.start()
        ready.close()
        with is_ready, suppress(EOFError):
            is_ready.recv()
        return process

    def run(self, ready: Connection) -> None:
        """Be that process; something goes through `ready` when the work is about to begin."""
        os.environ.update(self.environment)
        if self.file_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_bytes, self.file_bytes))
        try:
            ctx = opened(self.root, ManualClock(self.at))
            ready.send(None)
            getattr(p1_import, self.work)(ctx)
        except MigratorError as error:
            sys.exit(int(error.exit_code))


def opened(root: Path, clock: ManualClock, *, file: str = CONFIG) -> Context:
    """Open a migration."""
    return make_context(load(root / file), root=root, clock=clock, progress=Progress())


@dataclass(frozen=True)
class Size:
    """What a quiet run takes: so many seconds, bytes from PostgreSQL, and requests over HTTP."""

    seconds: float
    source_bytes: int
    requests: int


@dataclass(frozen=True)
class End:
    """How an import has to end."""

    content: dict[str, list[tuple[Any, ...]]]
    rejects: dict[str, str]
    present: int


def end_of(site: Site, target: FaultTarget, outcome: Outcome) -> End:
    """Look at everything that the import leaves behind."""
    read, imported, there, rejected = counts(outcome)
    assert read == imported + there + rejected.total()
    identity = "SELECT source, user_pk, auther_id, home, origin, pinned_reason, legacy_hash_fp"
    rows = site.sql(f"{identity} FROM migrator_identity ORDER BY source, user_pk")
    return End({**target.content(site), "identity": rows}, rejects_of(site), imported + there)


@contextmanager
def trial_at(
    root: Path,
    dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    wire: FaultyTcp,
    target: FaultTarget,
    seed: int,
    size: Size,
    away_s: float = 1,
) -> Iterator[Trial]:
    """Set a migration up whose way to PostgreSQL goes over the wire."""
    # Trials take hours by their clock: nothing may depend on when a lock ends.
    settings = {"page_rows": str(PAGE_ROWS), "unlock_in": '"never"'}
    made = make_site(root, dsn, monkeypatch, identities="public.identities", **settings)
    target.configure(root / CONFIG)
    text = (root / CONFIG).read_text(encoding="utf-8")
    large = text.replace(f"page_rows = {PAGE_ROWS}", f"page_rows = {USERS}")
    (root / LARGE_PAGES).write_text(large, encoding="utf-8")
    for way in ("libsql", "door"):
        monkeypatch.setattr(f"migrator.auther.ways.{way}.TIMEOUT", httpx.Timeout(TIMEOUT_S))
    host = dsn.rpartition("@")[2]
    over_wire = dsn.replace(host, f"127.0.0.1:{wire.port}/{host.rpartition('/')[2]}")
    monkeypatch.setenv("LEGACY_DATABASE_URL", over_wire)
    clock = SteppingClock(NOW)
    rng = random.Random(seed)
    yield Trial(rng, Site(opened(root, clock), made.root, dsn), clock, wire, target, size, away_s)
