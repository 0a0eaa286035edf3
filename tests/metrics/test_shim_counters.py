from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import ManualClock, SystemClock
from migrator.metrics.interface import Grade, Labels
from migrator.metrics.shim_counters import ShimCounters
from tests.parts.shim_process import CONTROL_SECRET, METRICS_TOKEN, ShimProcess

if TYPE_CHECKING:
    from migrator.core.clock import Clock

LEGACY = Labels("legacy", "accepted", "drain", "", synthetic=False, client="browser")


def counters(
    *shims: ShimProcess,
    token: str = METRICS_TOKEN,
    secret: str = CONTROL_SECRET,
    clock: Clock | None = None,
) -> ShimCounters:
    return ShimCounters(
        addresses=tuple(shim.address for shim in shims),
        metrics_token=token,
        control_secret=secret,
        timeout=timedelta(seconds=5),
        fresh_for=timedelta(seconds=30),
        clock=clock or SystemClock(),
    )


def test_counters_are_read_by_their_labels(web_1: ShimProcess) -> None:
    web_1.count("legacy", n=3)
    web_1.count("both", "refused", reason="conflict")
    look = counters(web_1).look()
    (process,) = look.processes
    assert (process.instance, process.stage, process.epoch) == ("web-1", "drain", 7)
    assert process.requests[LEGACY] == 3
    conflict = LEGACY._replace(path="both", outcome="refused", reason="conflict")
    assert process.requests[conflict] == 1
    assert abs(process.started_at_s - time.time()) < 60
    assert not look.all_doubts


def test_an_older_shim_tells_no_kind_of_client_and_is_read_all_the_same(
    web_1: ShimProcess,
) -> None:
    web_1.count("legacy", n=3)
    web_1.fault("older")
    (shim,) = counters(web_1).look().shims
    assert shim.process is not None
    assert shim.process.requests[LEGACY._replace(client="unknown")] == 3
    assert (shim.control_counted, shim.doubts) == (True, ())


def test_the_marker_is_seen_counted_on_every_look(web_1: ShimProcess, web_2: ShimProcess) -> None:
    source = counters(web_1, web_2)
    for _ in range(2):
        assert [shim.control_counted for shim in source.look().shims] == [True, True]


def test_a_process_that_never_served_anybody_is_proven_alive_by_the_marker(
    web_1: ShimProcess,
) -> None:
    (shim,) = counters(web_1).look().shims
    assert shim.control_counted
    assert shim.process is not None
    assert [labels for labels in shim.process.requests if not labels.synthetic] == []


@pytest.mark.parametrize(
    ("secret", "note"),
    [
        ("", "drain.control_secret is not set"),
        ("another", "the answer was 404: other secret, other clock, or no shim"),
    ],
)
def test_a_marker_that_is_not_taken_is_said_so(web_1: ShimProcess, secret: str, note: str) -> None:
    web_1.count("legacy")
    (shim,) = counters(web_1, secret=secret).look().shims
    assert (shim.control_counted, shim.control_note) == (False, note)


def test_a_deaf_shim_and_a_clock_far_off_count_no_marker(web_1: ShimProcess) -> None:
    web_1.count("legacy")
    hours_behind = ManualClock(SystemClock().now() - timedelta(hours=2))
    assert not counters(web_1, clock=hours_behind).look().shims[0].control_counted
    web_1.fault("deaf")
    assert not counters(web_1).look().shims[0].control_counted


@pytest.mark.parametrize(
    ("fault", "grade", "reason"),
    [
        ("nan", Grade.AMBIGUOUS, "a value is NaN, infinite or negative"),
        ("duplicate", Grade.AMBIGUOUS, "a series of auth_requests_total occurs twice"),
        ("two_starts", Grade.AMBIGUOUS, "2 series of migrator_process_start_time_seconds"),
        ("other_label", Grade.AMBIGUOUS, "a label is missing or has an unknown value"),
        ("no_info", Grade.NO_DATA, "no migrator_shim_info"),
        ("garbage", Grade.ERROR, "not in Prometheus' text format"),
        ("broken", Grade.ERROR, "answers 500"),
        ("old", Grade.STALE, "s old"),
        ("cached", Grade.STALE, "a cache answered, 3600 s old"),
    ],
)
def test_a_spoilt_answer_is_a_doubt_and_no_number(
    web_1: ShimProcess, fault: str, grade: Grade, reason: str
) -> None:
    web_1.count("legacy", n=5)
    web_1.fault(fault)
    look = counters(web_1).look()
    assert look.processes == ()
    (doubt,) = look.all_doubts
    assert doubt.grade is grade
    assert reason in doubt.reason
    web_1.fault("")
    assert not counters(web_1).look().all_doubts


def test_a_killed_exporter_is_an_error_beside_the_others_numbers(
    web_1: ShimProcess, web_2: ShimProcess
) -> None:
    web_2.kill()
    look = counters(web_1, web_2).look()
    assert [process.instance for process in look.processes] == ["web-1"]
    (doubt,) = look.all_doubts
    assert doubt.grade is Grade.ERROR
    assert doubt.reason == f"{web_2.address} does not answer (ConnectError)"


def test_another_token_is_an_error_that_says_what_to_look_at(web_1: ShimProcess) -> None:
    (doubt,) = counters(web_1, token="wrong").look().all_doubts
    assert doubt.grade is Grade.ERROR
    assert doubt.reason.endswith("answers 404: no shim there, or another metrics token")


def test_two_addresses_of_one_name_are_ambiguous(web_1: ShimProcess) -> None:
    twin = ShimProcess("web-1").start()
    try:
        look = counters(web_1, twin).look()
    finally:
        twin.kill()
    assert look.doubts[0].grade is Grade.AMBIGUOUS
    assert look.doubts[0].reason == "2 addresses answer as web-1: a load balancer?"


def test_no_address_is_no_data() -> None:
    look = counters().look()
    assert [doubt.grade for doubt in look.all_doubts] == [Grade.NO_DATA]


def test_a_password_in_an_address_is_not_repeated() -> None:
    source = ShimCounters(
        addresses=("http://scraper:hunter2@127.0.0.1:9",),
        metrics_token=METRICS_TOKEN,
        control_secret=CONTROL_SECRET,
        timeout=timedelta(seconds=1),
        fresh_for=timedelta(seconds=30),
        clock=SystemClock(),
    )
    (doubt,) = source.look().all_doubts
    assert doubt.grade is Grade.ERROR
    assert "hunter2" not in doubt.reason


def test_two_workers_that_take_turns_behind_one_address_prove_nothing(
    web_1: ShimProcess,
) -> None:
    web_1.count("legacy")
    web_1.fault("turns")
    (shim,) = counters(web_1).look().shims
    assert not shim.control_counted
    assert shim.control_note == "another process answered than before, web-1: several workers?"
