"""Gates on counters that a Prometheus has scraped: each fault holds, and no longer than it lasts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.gates.verdict import GateState
from tests.parts.clocks import ShiftedClock
from tests.parts.drain import Drain
from tests.phases.gate_looks import is_good, is_held, is_passed, look, look_until, prepared

if TYPE_CHECKING:
    from pathlib import Path

    from tests.parts.prometheus import PrometheusServer

pytestmark = pytest.mark.xdist_group("prometheus")
PROMETHEUS = """
counters = "prometheus"
[drain.prometheus]
url = "{url}"
match = {{ job = "shop", case = "pair" }}
scrape_interval = "1s"
"""


@pytest.fixture
def drain(
    tmp_path: Path,
    fresh_db: str,
    prometheus: PrometheusServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Drain:
    counters = PROMETHEUS.format(url=prometheus.base_url)
    shims = (prometheus.web_1, prometheus.web_2)
    return prepared(Drain(tmp_path, fresh_db, shims, counters), monkeypatch)


def test_a_quiet_path_passes_and_one_legacy_request_fails(drain: Drain) -> None:
    look_until(drain, is_passed)
    drain.shims[1].count("legacy")
    failed = look_until(drain, lambda verdict: not is_good(verdict))
    assert (failed.state, failed.reason) == (GateState.FAILED, "1 is above 0")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("nan", "AMBIGUOUS: {address}: a value is NaN, infinite or negative"),
        ("two_starts", "AMBIGUOUS: {address}: several series where one was meant"),
        ("broken", "ERROR: {address}: Prometheus cannot scrape it"),
        ("deaf", "UNPROVEN: web-2 did not count the marker (the answer was 404"),
    ],
)
def test_a_spoilt_exporter(drain: Drain, fault: str, reason: str) -> None:
    look_until(drain, is_good)
    drain.shims[1].fault(fault)
    held = look_until(drain, is_held)
    drain.shims[1].fault("")
    look_until(drain, is_good)
    address = drain.shims[1].address.removeprefix("http://")
    assert held.reason.startswith(reason.format(address=address))


def test_a_killed_exporter_and_its_restart(drain: Drain) -> None:
    look_until(drain, is_good)
    drain.shims[1].kill()
    held = look_until(drain, lambda verdict: "cannot scrape it: gone" in verdict.reason)
    drain.shims[1].start()
    look_until(drain, is_good)
    assert is_held(held)
    assert "web-2 is alive but its counters were not read" in held.reason


def test_counters_that_were_set_back(drain: Drain) -> None:
    shim = drain.shims[1]
    shim.started_at_s = 1_800_000_000
    shim.restart()
    shim.count("legacy", n=5)
    look_until(drain, is_good)
    shim.restart()
    held = look_until(drain, lambda verdict: "ran backwards" in verdict.reason)
    look_until(drain, is_good)
    shim.started_at_s = None
    shim.restart()
    shim.count("legacy")
    assert is_held(held)
    assert "a counter of web-2 ran backwards without a restart" in held.reason


def test_a_prometheus_that_is_away(drain: Drain, prometheus: PrometheusServer) -> None:
    look_until(drain, is_good)
    prometheus.stop()
    held = look(drain)
    prometheus.start()
    assert is_held(held)
    assert held.reason.startswith(f"ERROR: {prometheus.base_url} does not answer (ConnectErr")
    look_until(drain, is_good)


def test_a_missing_instance(drain: Drain) -> None:
    look_until(drain, is_good)
    drain.silence("web-2")
    held = look(drain)
    drain.wake("web-2")
    assert held.reason.startswith("UNPROVEN: web-2 was last heard of 2h")
    look_until(drain, is_good)


def test_clocks_that_disagree(drain: Drain) -> None:
    look_until(drain, is_good)
    ahead = ShiftedClock(timedelta(hours=2))
    held = [look(drain, clock=ahead) for _ in range(2)][-1]
    assert is_held(held)
    assert "the clock of Prometheus is" in held.reason
    assert "did not count the marker (the answer was 404" in held.reason
