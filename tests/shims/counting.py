"""What an application's log says of its decisions, beside what its counters say."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from migrator.core.clock import SystemClock
from migrator.metrics.control import send_marker
from migrator.metrics.exposition import read_process
from migrator.metrics.interface import Process
from migrator.metrics.log_line import decision_of
from migrator.metrics.shim_counters import METRICS_PATH
from tests.parts.stage_file import CONTROL_SECRET, METRICS_TOKEN

if TYPE_CHECKING:
    from migrator.metrics.interface import Labels
    from tests.parts.program import Program


def check_that_the_log_says_what_was_counted(app: Program) -> None:
    """Send a marker, and compare all of the log with the counters of the running application."""
    now = SystemClock().now()
    with httpx.Client(trust_env=False) as client:
        assert send_marker(client, app.base_url, secret=CONTROL_SECRET, at=now).taken
        bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        text = client.get(app.base_url + METRICS_PATH, headers=bearer).text
    process = read_process(text, at=now, fresh_for=timedelta(minutes=1))
    assert isinstance(process, Process)
    assert any(labels.synthetic for labels in process.requests)
    assert _logged(app) == process.requests


def _logged(app: Program) -> Counter[Labels]:
    decisions = [decision_of(line) for line in app.log_path.read_bytes().splitlines()]
    return Counter(labels for labels in decisions if labels is not None)
