"""What an application's log says of its decisions, beside what its counters say."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from migrator.core.clock import SystemClock
from migrator.metrics.control import send_marker
from migrator.metrics.exported import DURATION, ERRORS
from migrator.metrics.exposition import read_process
from migrator.metrics.interface import Process, Series
from migrator.metrics.log_line import decision_of
from migrator.metrics.shim_counters import METRICS_PATH
from tests.parts.stage_file import CONTROL_SECRET, METRICS_TOKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.metrics.interface import Labels
    from migrator.metrics.log_line import Decided
    from tests.parts.program import Program

PATIENCE_S = 30


def check_that_the_log_says_what_was_counted(app: Program, *, since: int = 0) -> None:
    """Send a marker, and compare the log with the counters of the running application.

    Args:
        since: Bytes of the log that were there before the counters began.
    """
    now = SystemClock().now()
    with httpx.Client(trust_env=False) as client:
        assert send_marker(client, app.base_url, secret=CONTROL_SECRET, at=now).taken
    process, logged = _process(app), _logged(app, since)
    # Behind an answer of a test before this one something may still be counted and written down.
    until = time.monotonic() + PATIENCE_S
    while _by_labels(logged) != process.requests and time.monotonic() < until:
        time.sleep(0.05)
        process, logged = _process(app), _logged(app, since)
    assert _by_labels(logged) == process.requests
    assert any(labels.synthetic for labels in process.requests)
    timed = process.events[Series(f"{DURATION}_count", frozenset())]
    assert sum(line.waited_s is not None for line in logged) == timed


def check_that_failed_answers_are_counted(app: Program, *, fails: Sequence[str]) -> None:
    """Ask as nobody for pages that fail, and for one that is not there."""
    # A server may end the connection behind an error without saying so.
    alone = {"Connection": "close"}
    with httpx.Client(base_url=app.base_url, headers=alone, trust_env=False) as client:
        assert client.get("/nowhere").status_code == 404
        before = _errors(app)
        assert all(client.get(path).status_code >= 500 for path in fails)
        assert client.get("/nowhere").status_code == 404
    assert set(before) == {"legacy", "auther", "both", "foreign", "none"}
    after = {**before, "none": before["none"] + len(fails)}
    # Some count behind the answer.
    until = time.monotonic() + PATIENCE_S
    while _errors(app) != after and time.monotonic() < until:
        time.sleep(0.05)
    assert _errors(app) == after


def _errors(app: Program) -> dict[str, float]:
    found = _process(app).events.items()
    return {dict(series.labels)["path"]: n for series, n in found if series.name == ERRORS}


def _process(app: Program) -> Process:
    bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    text = httpx.get(app.base_url + METRICS_PATH, headers=bearer, trust_env=False).text
    process = read_process(
        text, at=SystemClock().now(), fresh_for=timedelta(minutes=1), may_be_idle=True
    )
    assert isinstance(process, Process), process
    return process


def _by_labels(logged: list[Decided]) -> Counter[Labels]:
    return Counter(line.labels for line in logged)


def _logged(app: Program, since: int) -> list[Decided]:
    written = app.log_path.read_bytes()[since:]
    decisions = [decision_of(line) for line in written.splitlines()]
    return [found for found in decisions if found is not None]
