from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from migrator.metrics.base import Base
from migrator.metrics.health import HEALTH_MEASURES
from migrator.metrics.health_counts import counts_of, increments, marks_of, quantile, within
from migrator.metrics.interface import Grade, HealthLook, Labels, Process, Reading, Series, Window
from migrator.metrics.look import Look
from migrator.metrics.measures import Terms
from migrator.state.health_history import StoredCounts

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TERMS = Terms(1, MINUTE, control=False, base=None)


def series(name: str, **labels: str) -> Series:
    return Series(name, frozenset(labels.items()))


PROCESS = Process(
    "web-1",
    "1",
    "dual",
    3,
    "live",
    AT.timestamp() - 60,
    {
        Labels("auther", "accepted", "dual", "", synthetic=False): 10,
        Labels("auther", "unavailable", "dual", "verification_unavailable", synthetic=False): 2,
        Labels("both", "refused", "dual", "conflict", synthetic=False): 1,
        Labels("legacy", "accepted", "dual", "", synthetic=True): 50,
    },
    {
        series("auth_logins_total", door="form", side="legacy"): 5,
        series("auth_logins_total", door="callback", side="auther"): 7,
        series("auth_logins_total", door="remember_me", side="legacy"): 9,
        series("auth_exchanges_total", result="ok"): 2,
        series("auth_exchanges_total", result="started"): 4,
        series("auth_renewals_total", result="ok"): 1,
        series("auth_logins_failed_total", reason="state"): 3,
        series("auth_jwks_fetch_total", result="failed"): 6,
        series("auth_jwks_fetch_total", result="ok"): 8,
        series("auth_logins_refused_total", door="json", stage="drain"): 4,
        series("auth_errors_total", path="auther"): 2,
        series("auth_errors_total", path="none"): 1,
        series("auth_decision_duration_seconds_bucket", le="0.001"): 6,
        series("auth_decision_duration_seconds_bucket", le="+Inf"): 13,
    },
)


def test_the_marker_counts_for_nothing_and_what_goes_on_by_itself_is_no_sign_in() -> None:
    assert counts_of(PROCESS) == {
        "requests": 13,
        "unavailable": 2,
        "conflicts": 1,
        "sign_ins": 5 + 7 - 2 - 1,
        "sign_ins_failed": 3,
        "key_fetches_failed": 6,
        "refused:json": 4,
        "application_errors": 3,
        "within:0.001": 6,
        "within:inf": 13,
    }


def test_a_figure_that_is_there_for_the_first_time_counts_from_the_look_before() -> None:
    base = Base(AT, marks_of([replace(PROCESS, events={})], at=AT))
    found, known = increments(marks_of([PROCESS], at=AT + MINUTE), base)
    assert known
    assert (found["requests"], found["sign_ins"], found["refused:json"]) == (0, 9, 4)


def test_a_process_that_nobody_read_before_makes_the_stretch_doubtful() -> None:
    old = replace(PROCESS, instance="web-2")
    base = Base(AT, marks_of([PROCESS], at=AT))
    _, known = increments(marks_of([PROCESS, old], at=AT + MINUTE), base)
    assert not known


def stored(begins: datetime, minutes: int, seen: float = 1.0, **counts: float) -> StoredCounts:
    ends = begins + minutes * MINUTE
    return StoredCounts(1, begins, ends, counts, seen * (ends - begins).total_seconds())


def test_of_a_stretch_that_reaches_out_of_the_span_its_share_counts() -> None:
    slots = [stored(AT, 60, requests=120), stored(AT + HOUR, 30, seen=0, requests=30)]
    found = within(slots, AT + 30 * MINUTE, AT + 90 * MINUTE)
    assert (found.counts, found.covered) == ({"requests": 60 + 30}, 0.5)
    assert within(slots, AT, AT).covered == 0


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ({"within:0.001": 0, "within:0.01": 100, "within:inf": 100}, 0.95, 0.001 + 0.009 * 0.95),
        ({"within:0.001": 95, "within:0.01": 100, "within:inf": 100}, 0.95, 0.001),
        ({"within:0.001": 0, "within:0.01": 10, "within:inf": 100}, 0.95, 0.01),
        ({"within:0.001": 0, "within:inf": 0}, 0.95, None),
        ({}, 0.95, None),
    ],
)
def test_a_quantile_is_read_from_buckets_as_prometheus_does(
    counts: dict[str, float], share: float, expected: float | None
) -> None:
    assert quantile(counts, share) == (None if expected is None else pytest.approx(expected))


def window(covered: float = 1.0, *, length: timedelta = HOUR, **counts: float) -> Window:
    return Window(AT - length, AT, counts, covered)


def read(measure: str, **parts: object) -> Reading:
    empty = {"recent": window(), "hours": (window(),), "days": (window(length=24 * HOUR),)}
    look = Look(AT, health=HealthLook(**{**empty, **parts}))  # type: ignore[arg-type]
    return HEALTH_MEASURES[measure].read(look, TERMS)  # type: ignore[index]


def said(reading: Reading) -> str:
    assert reading.value is None
    assert {doubt.grade for doubt in reading.doubts} == {Grade.NO_DATA}
    return "; ".join(doubt.reason for doubt in reading.doubts)


def test_errors_are_a_share_of_enough_requests() -> None:
    assert read("error_ratio", recent=window(requests=200, unavailable=5)).value == 0.025
    few = read("error_ratio", recent=window(requests=19, unavailable=19))
    both = read("error_ratio", recent=window(requests=200, unavailable=5, application_errors=15))
    assert (both.value, both.evidence) == (
        0.1,
        {"counted": 20, "requests": 200, "application": 15},
    )
    older = read("error_ratio", recent=window(requests=200))
    assert (older.value, older.evidence["application"]) == (0, "not counted")
    assert [reading.lost == () for reading in (both, older)] == [True, False], "at least that many"
    assert "19 requests, 20 are needed" in said(few)


@pytest.mark.parametrize(
    "measure", ["error_ratio", "shim_p95_seconds", "jwks_failures", "login_refusals"]
)
def test_what_nobody_saw_is_not_known(measure: str) -> None:
    found = read(measure, recent=window(0.5, requests=100, unavailable=100))
    assert "seen in 50% of the last 1h" in said(found)


def test_sign_ins_are_held_against_the_same_hour_of_the_weeks_before() -> None:
    weeks = (window(sign_ins=90), window(sign_ins=100), window(sign_ins=20), window(sign_ins=120))
    found = read("sign_in_success", hours=weeks)
    assert (found.value, found.evidence["usual"], found.evidence["weeks"]) == (0.9, 100, 3)


def test_one_week_before_is_not_enough_to_know_what_is_usual() -> None:
    weeks = (window(sign_ins=0), window(sign_ins=100), window(0.5, sign_ins=100))
    assert "known of 1 weeks before, 2 are needed" in said(read("sign_in_success", hours=weeks))


def test_a_counter_that_is_not_there_is_not_zero() -> None:
    weeks = (window(), window(sign_ins=90), window(sign_ins=100))
    assert "since it began" in said(read("sign_in_success", hours=weeks))
    assert read("sign_in_success", hours=(window(sign_ins=0), *weeks[1:])).value == 0
    assert "fetched a key set" in said(read("jwks_failures", recent=window(requests=50)))


def test_where_an_hour_has_too_few_sign_ins_a_day_tells() -> None:
    hours = (window(sign_ins=0), window(sign_ins=3), window(sign_ins=4))
    days = tuple(window(length=24 * HOUR, sign_ins=count) for count in (30, 60, 60))
    assert read("sign_in_success", hours=hours, days=days).value == 0.5
    assert "sign-ins in 1h are usual" in said(read("sign_in_success", hours=hours, days=hours))


def test_what_only_counters_tell_is_not_known_while_log_lines_are_read() -> None:
    slots = [stored(AT, 60, requests=120, unavailable=3, untold_s=3600), stored(AT + HOUR, 60)]
    by_log = within(slots, AT, AT + HOUR)
    assert (by_log.covered, by_log.told) == (1, 0)
    assert within(slots, AT, AT + 2 * HOUR).told == 0.5
    found = {
        name: read(name, recent=by_log, hours=(by_log, window(sign_ins=90), window(sign_ins=90)))
        for name in HEALTH_MEASURES
    }
    assert found.pop("error_ratio").value == 0.025
    assert "no shim told how long" in said(found.pop("shim_p95_seconds"))
    assert all("log lines tell of requests only" in said(reading) for reading in found.values())


def test_failures_refusals_and_keys_are_counted() -> None:
    hour = window(sign_ins=30, sign_ins_failed=10)
    assert read("sign_in_failures", hours=(hour,)).value == 0.25
    doors = read("login_refusals", recent=window(**{"refused:form": 3, "refused:json": 2}))
    assert (doors.value, doors.evidence) == (5, {"doors": {"form": 3, "json": 2}})
    assert read("jwks_failures", recent=window(key_fetches_failed=4)).value == 4
    quick = window(requests=100, **{"within:0.001": 100, "within:inf": 100})
    assert read("shim_p95_seconds", recent=quick).value == pytest.approx(0.00095)
