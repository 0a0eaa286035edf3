"""A real Prometheus that scrapes running instances."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from migrator.core.clock import SystemClock
from migrator.metrics.control import DelayedControl
from migrator.metrics.interface import Doubt, Grade, Labels
from migrator.metrics.prometheus import Prometheus
from migrator.metrics.shim_counters import ShimCounters
from tests.parts.clocks import ShiftedClock
from tests.parts.serving import Answer, serving
from tests.parts.shim_process import CONTROL_SECRET, METRICS_TOKEN, ShimProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.core.clock import Clock
    from migrator.metrics.interface import Process, ShimsLook
    from tests.parts.prometheus import PrometheusServer

pytestmark = pytest.mark.xdist_group("prometheus")
PATIENCE_S = 30
LEGACY = Labels("legacy", "accepted", "drain", "", synthetic=False, client="browser")


def source(
    server: PrometheusServer,
    case: str,
    *shims: ShimProcess,
    secret: str = CONTROL_SECRET,
    clock: Clock | None = None,
) -> Prometheus:
    clock = clock or SystemClock()
    control = DelayedControl(
        addresses=tuple(shim.address for shim in shims),
        secret=secret,
        timeout=timedelta(seconds=5),
        within=timedelta(seconds=10),
        every=timedelta(seconds=0.1),
        clock=clock,
    )
    return Prometheus(
        url=server.base_url,
        token="",
        match={"job": "shop", "case": case},
        scrape_interval=timedelta(seconds=1),
        timeout=timedelta(seconds=5),
        max_skew=timedelta(seconds=30),
        control=control,
        clock=clock,
    )


def look_until(asked: Prometheus, wanted: Callable[[ShimsLook], bool]) -> ShimsLook:
    ends = time.monotonic() + PATIENCE_S
    while True:
        found = asked.look()
        if wanted(found):
            return found
        assert time.monotonic() < ends, found
        time.sleep(0.1)


def is_proven(found: ShimsLook) -> bool:
    return bool(found.shims) and all(shim.control_counted for shim in found.shims)


def is_ambiguous(found: ShimsLook) -> bool:
    return [doubt.grade for doubt in found.all_doubts] == [Grade.AMBIGUOUS]


def is_doubted(found: ShimsLook) -> bool:
    return bool(found.all_doubts)


def test_instances_are_read_and_controlled_as_if_scraped(prometheus: PrometheusServer) -> None:
    web = (prometheus.web_1, prometheus.web_2)
    asked = source(prometheus, "pair", *web)
    before = look_until(asked, is_proven)
    web[0].count("legacy", n=3)
    web[1].count("both", "refused", reason="conflict")
    now = asked.look()
    assert is_proven(now)
    assert (before.all_doubts, now.all_doubts) == ((), ())
    scraped = ShimCounters(
        addresses=tuple(shim.address for shim in web),
        metrics_token=METRICS_TOKEN,
        control_secret=CONTROL_SECRET,
        timeout=timedelta(seconds=5),
        fresh_for=timedelta(seconds=30),
        clock=SystemClock(),
    ).look()
    assert by_name(now) == by_name(scraped)
    legacy = [by_name(found)["web-1"].requests[LEGACY] for found in (before, now)]
    assert legacy[1] == legacy[0] + 3


def by_name(found: ShimsLook) -> dict[str, Process]:
    """Give the processes without their markers."""
    return {
        process.instance: replace(
            process, requests={k: n for k, n in process.requests.items() if not k.synthetic}
        )
        for process in found.processes
    }


@pytest.mark.parametrize(
    ("secret", "has_address", "note"),
    [
        ("", True, "drain.control_secret is not set"),
        ("another", True, "the answer was 404: other secret, other clock, or no shim"),
        (CONTROL_SECRET, False, "[drain] shims names no address to send it to"),
    ],
)
def test_without_a_marker_that_was_taken_nothing_is_proven(
    prometheus: PrometheusServer, secret: str, has_address: bool, note: str
) -> None:
    shims = [prometheus.web_1] if has_address else []
    asked = source(prometheus, "web-1", *shims, secret=secret)
    (shim,) = look_until(asked, lambda found: bool(found.processes)).shims
    assert (shim.control_counted, shim.control_note) == (False, note)


@pytest.mark.parametrize(
    ("fault", "grade", "reason"),
    [
        ("nan", Grade.AMBIGUOUS, "a value is NaN, infinite or negative"),
        (
            "two_starts",
            Grade.AMBIGUOUS,
            "several series where one was meant, by the labels worker",
        ),
        ("other_label", Grade.AMBIGUOUS, "by the labels robot"),
        ("no_info", Grade.NO_DATA, "no migrator_shim_info"),
        ("garbage", Grade.ERROR, "Prometheus cannot scrape it"),
        ("broken", Grade.ERROR, "Prometheus cannot scrape it"),
        ("old", Grade.NO_DATA, "no migrator_shim_info"),
    ],
)
def test_a_spoilt_exporter_is_a_doubt_until_it_is_mended(
    prometheus: PrometheusServer, fault: str, grade: Grade, reason: str
) -> None:
    asked = source(prometheus, "web-2")
    look_until(asked, lambda found: not is_doubted(found))
    prometheus.web_2.fault(fault)
    spoilt = look_until(asked, is_doubted)
    prometheus.web_2.fault("")
    look_until(asked, lambda found: not is_doubted(found))
    (doubt,) = spoilt.all_doubts
    assert doubt.grade is grade
    assert reason in doubt.reason


def test_an_instance_scraped_twice_under_other_labels_is_ambiguous(
    prometheus: PrometheusServer,
) -> None:
    (doubt,) = look_until(source(prometheus, "replicas"), is_ambiguous).all_doubts
    assert doubt.reason.endswith("several series where one was meant, by the labels replica")


def test_two_targets_of_one_name_are_ambiguous(prometheus: PrometheusServer) -> None:
    (doubt,) = look_until(source(prometheus, "twins"), is_ambiguous).all_doubts
    assert doubt.reason == "2 addresses answer as web-1: a load balancer?"


def test_labels_that_match_nothing_are_no_data(prometheus: PrometheusServer) -> None:
    found = source(prometheus, 'a "quoted" name\\').look()
    (doubt,) = found.all_doubts
    assert doubt.grade is Grade.NO_DATA
    assert doubt.reason.startswith('Prometheus has no series of job="shop",case=')


@pytest.mark.parametrize(("hours", "side"), [(2, "behind"), (-2, "ahead of")])
def test_a_clock_that_disagrees_is_a_doubt(
    prometheus: PrometheusServer, hours: int, side: str
) -> None:
    asked = source(prometheus, "web-1", clock=ShiftedClock(timedelta(hours=hours)))
    found = look_until(asked, lambda found: bool(found.processes))
    (doubt,) = found.all_doubts
    assert doubt.grade is Grade.UNPROVEN
    assert doubt.reason in {
        f"the clock of Prometheus is {took} {side} ours" for took in ("2h", "1h 59m", "2h 1s")
    }


def test_a_prometheus_that_refuses_says_why(prometheus: PrometheusServer) -> None:
    asked = replace(source(prometheus, "web-1"), match={"not a name": "x"})
    (doubt,) = asked.look().all_doubts
    assert doubt.grade is Grade.ERROR
    assert "answers 400: invalid parameter" in doubt.reason


@pytest.mark.parametrize("kind", ["warnings", "infos"])
def test_an_answer_that_prometheus_itself_doubts_proves_nothing(
    prometheus: PrometheusServer, kind: str
) -> None:
    asked = source(prometheus, "web-1")
    look_until(asked, lambda found: not is_doubted(found))

    def partly(path: str) -> Answer:
        body = httpx.get(prometheus.base_url + path).json()
        return 200, {}, json.dumps({**body, kind: ["a store did not answer"]}).encode()

    with serving(partly) as url:
        found = replace(asked, url=url).look()
    assert found.doubts == (Doubt(Grade.UNPROVEN, "Prometheus warns: a store did not answer"),)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (503, b'{"status":"error","error":"query timed out"}', "answers 503: query timed out"),
        (502, b"<html>", "answers 502"),
        (200, b"<html>", "not the answer of a Prometheus (JSONDecodeError)"),
        (200, b'{"status":"error","error":"too many samples"}', "says error: too many samples"),
        (200, b'{"status":"success","data":{"result":[]}}', "not the answer of a Prometheus"),
        (302, b"", "answers 302"),
    ],
)
def test_what_is_no_answer_of_a_prometheus_is_an_error(
    prometheus: PrometheusServer, status: int, body: bytes, reason: str
) -> None:
    with serving(lambda _path: (status, {"Location": "/elsewhere"}, body)) as url:
        (doubt,) = replace(source(prometheus, "web-1"), url=url).look().all_doubts
    assert doubt.grade is Grade.ERROR
    assert reason in doubt.reason


def test_the_token_is_sent(prometheus: PrometheusServer) -> None:
    asked = replace(source(prometheus, "web-1"), token="of-the-reader")
    seen: list[str] = []

    def passing(path: str) -> Answer:
        return 200, {}, httpx.get(prometheus.base_url + path).content

    with serving(passing, seen=seen.append) as url:
        replace(asked, url=url).look()
    assert set(seen) == {"Bearer of-the-reader"}


def test_a_password_in_the_address_is_not_repeated(prometheus: PrometheusServer) -> None:
    asked = replace(source(prometheus, "web-1"), url="http://reader:hunter2@127.0.0.1:9")
    (doubt,) = asked.look().all_doubts
    assert doubt.grade is Grade.ERROR
    assert "hunter2" not in doubt.reason
