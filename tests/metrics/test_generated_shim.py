"""The sources against a shim as it is generated, in a real application, with the real tables.

What is read from the shim itself, from the Prometheus that scrapes it, and from its log is the same.
"""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from migrator.config.secrets import SecretRef
from migrator.conformance.issuer import Issuer
from migrator.core.clock import SystemClock
from migrator.core.stage import Stage
from migrator.metrics.control import DelayedControl
from migrator.metrics.exported import LABELS
from migrator.metrics.instances import Instances, coverage_doubts
from migrator.metrics.interface import Labels
from migrator.metrics.prometheus import Prometheus
from migrator.metrics.shim_counters import ShimCounters
from migrator.metrics.shim_logs import ShimLogs
from migrator.state.store import open_state
from tests.parts.asgi import prepare
from tests.parts.stage_file import CONTROL_SECRET, METRICS_TOKEN, create_side_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.metrics.interface import Process, ShimsLook
    from tests.parts.asgi import AsgiApp
    from tests.parts.prometheus import PrometheusServer

PATIENCE_S = 30
ANONYMOUS = Labels("none", "anonymous", "dual", "", synthetic=False, client="browser")


pytestmark = pytest.mark.xdist_group("prometheus")


@pytest.fixture
def app(
    devise_db: str, prometheus: PrometheusServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AsgiApp]:
    create_side_tables(devise_db)
    monkeypatch.setenv("APP_DSN", devise_db)
    with Issuer() as issuer:
        app = prepare(devise_db, issuer, port=prometheus.generated_port)
        app.stage.set(Stage.DUAL)
        app.start()
        yield app
        app.remove()


def without_markers(process: Process) -> dict[Labels, float]:
    return {labels: n for labels, n in process.requests.items() if not labels.synthetic}


def test_a_generated_shim_is_read_controlled_and_covered(
    app: AsgiApp, prometheus: PrometheusServer, tmp_path: Path
) -> None:
    source = ShimCounters(
        addresses=(app.base_url,),
        metrics_token=METRICS_TOKEN,
        control_secret=CONTROL_SECRET,
        timeout=timedelta(seconds=10),
        fresh_for=timedelta(seconds=30),
        clock=SystemClock(),
    )
    fleet = Instances(SecretRef("env", "APP_DSN"), Path(), timedelta(seconds=5))
    delayed = DelayedControl(
        addresses=(app.base_url,),
        secret=CONTROL_SECRET,
        timeout=timedelta(seconds=10),
        within=timedelta(seconds=PATIENCE_S),
        every=timedelta(seconds=0.1),
        clock=SystemClock(),
    )
    scraped = Prometheus(
        url=prometheus.base_url,
        token="",
        match={"job": "generated"},
        scrape_interval=timedelta(seconds=1),
        timeout=timedelta(seconds=10),
        max_skew=timedelta(seconds=30),
        control=delayed,
        clock=SystemClock(),
    )
    state = open_state("sqlite:state.db", root=tmp_path, clock=SystemClock())
    logged = ShimLogs(
        logs={"web-1": str(app.log_path)},
        checkpoints=state.checkpoints,
        timeout=timedelta(seconds=10),
        control=delayed,
        clock=SystemClock(),
    )
    assert [shim.control_counted for shim in logged.look().shims] == [True]
    first = source.look()
    assert first.all_doubts == ()
    assert [shim.control_counted for shim in first.shims] == [True]
    httpx.get(f"{app.base_url}/", headers={"Accept": "text/html"})
    (process,) = source.look().processes
    assert process.instance == "web-1"
    assert process.requests[ANONYMOUS] == first.processes[0].requests.get(ANONYMOUS, 0) + 1
    assert abs(process.started_at_s - time.time()) < PATIENCE_S * 10
    by_log, by_prometheus = logged.look(), look_until_scraped(scraped)
    for found in (by_log, by_prometheus):
        assert [shim.control_counted for shim in found.shims] == [True]
        assert found.all_doubts == ()
        assert without_markers(found.processes[0]) == without_markers(process)

    ends = time.monotonic() + PATIENCE_S
    while not fleet.look().heartbeats and time.monotonic() < ends:
        time.sleep(0.2)
    doubts = coverage_doubts(
        fleet.look(), scraped=["web-1"], expected=("web-1",), within=timedelta(seconds=30)
    )
    assert doubts == ()


def test_a_real_scrape_has_every_metric_that_rules_and_dashboards_name(app: AsgiApp) -> None:
    bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    text = httpx.get(f"{app.base_url}/migrator/metrics", headers=bearer).text
    families = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    known = {re.sub(r"_(bucket|sum|count)$", "", name) for name in LABELS}
    assert known == {name for name in families if not name.endswith("_created")}


def look_until_scraped(source: Prometheus) -> ShimsLook:
    """On a busy machine a scrape may take longer than the 200 ms that it has: that look holds, the next does not."""
    ends = time.monotonic() + PATIENCE_S
    found = source.look()
    while time.monotonic() < ends and not all(shim.control_counted for shim in found.shims):
        found = source.look()
    return found
