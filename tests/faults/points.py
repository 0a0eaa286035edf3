"""What can go wrong, and where it strikes: each point draws its details from the trial's generator."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.parts.faulty_wire import Fault, Planned

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.trial import Trial

SLOW_S = 1.5
BUSY_S = 0.4
FULL_AT_BYTES = (20_000, 700_000)


def source_fails_over(trial: Trial) -> None:
    """PostgreSQL cuts all connections in the middle of a read, and is back at once or a little later."""
    sent = trial.rng.randint(1, trial.size.source_bytes)
    trial.wire.cut_after(sent, away_s=trial.rng.choice([0, trial.away_s / 2]))
    trial.attempt()


def killed(trial: Trial) -> None:
    """The process gets SIGKILL at any moment."""
    trial.in_a_process(kill_after_s=trial.rng.random() * trial.size.seconds)


def clock_steps(trial: Trial) -> None:
    """The machine's clock is set in the middle of a run, either way."""
    trial.clock.step_at(
        trial.rng.randint(0, 30), timedelta(hours=trial.rng.choice([-30, -2, 2, 30]))
    )
    trial.attempt()


def file_is_busy(trial: Trial) -> None:
    """Somebody else holds the write lock of the file for a while."""
    held = threading.Thread(
        target=_hold_lock, args=(trial, trial.rng.random() * trial.size.seconds)
    )
    held.start()
    trial.attempt()
    held.join()


def _hold_lock(trial: Trial, after_s: float) -> None:
    time.sleep(after_s)
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(trial.site.auther_db, isolation_level=None)) as connection,
    ):
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(BUSY_S)
        connection.execute("ROLLBACK")


def disk_is_full(trial: Trial) -> None:
    """No file may grow beyond a size: Auther's, the state, the rejects."""
    trial.in_a_process(file_bytes=trial.rng.randint(*FULL_AT_BYTES))


def http_fails(fault: Fault) -> Callable[[Trial], None]:
    """A request to Auther meets this fault."""

    def strike(trial: Trial) -> None:
        assert trial.target.proxy is not None
        request = trial.target.proxy.requests + trial.rng.randrange(trial.size.requests)
        seconds = SLOW_S if fault is Fault.SLOW else trial.away_s
        trial.target.proxy.plan = {request: Planned(request, fault, seconds=seconds)}
        trial.attempt()
        trial.target.proxy.plan = {}

    strike.__name__ = fault.name.lower()
    return strike


EVERYWHERE = (source_fails_over, killed, clock_steps)
ON_A_FILE = (file_is_busy, disk_is_full)
OVER_HTTP = tuple(http_fails(fault) for fault in Fault)
