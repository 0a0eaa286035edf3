from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest

from migrator.metrics.forecast import Counted, Lifetimes, forecast, median_error
from migrator.metrics.rhythm import Rhythm, rhythm_of
from tests.metrics.populations import BEGIN, KINDS, Population, exponential, time, weekly_rhythm

SEEN_AT = (0.1, 0.06, 0.03)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Tally:
    """How often the truth came no later than what was forecast."""

    said: int = 0
    by_p50: int = 0
    by_p90: int = 0
    unknown: list[str] = field(default_factory=list)

    def add(self, population: Population, share: float) -> None:
        at_h = population.when_left(share)
        found = forecast(
            population.counts(at_h),
            now=time(at_h),
            since=BEGIN,
            lifetimes=population.lifetimes(at_h),
        )
        if found.p50 is None or found.p90 is None:
            self.unknown.append(found.why)
            return
        truth = population.reached()
        self.said += 1
        self.by_p50 += truth <= found.p50
        self.by_p90 += truth <= found.p90

    def __str__(self) -> str:
        p50, p90 = (100 * hits / self.said for hits in (self.by_p50, self.by_p90))
        return f"P50 {p50:.1f} %, P90 {p90:.1f} %, {len(self.unknown)} unknown: {self.unknown[:3]}"


def backtest(kind: str, size: int, shares: tuple[float, ...]) -> Tally:
    """Forecast populations at one point of their life each, the points in turn."""
    tally = Tally()
    for seed in range(size):
        population = KINDS[kind](Random(f"{kind}{seed}"))
        tally.add(population, shares[seed % len(shares)])
    return tally


@pytest.mark.parametrize("kind", KINDS)
def test_p90_holds_for_nine_of_ten_populations(kind: str) -> None:
    tally = backtest(kind, 100, SEEN_AT)
    assert 0.85 * tally.said <= tally.by_p90 <= 0.95 * tally.said, str(tally)
    assert 0.4 * tally.said <= tally.by_p50 <= 0.6 * tally.said, str(tally)
    assert tally.said >= 95, str(tally)


@pytest.mark.long
@pytest.mark.parametrize("share", SEEN_AT)
@pytest.mark.parametrize("kind", KINDS)
def test_p90_holds_at_each_point_of_their_life(kind: str, share: float) -> None:
    tally = backtest(kind, 400, (share,))
    assert 0.85 * tally.said <= tally.by_p90 <= 0.95 * tally.said, str(tally)
    assert 0.4 * tally.said <= tally.by_p50 <= 0.6 * tally.said, str(tally)


def falling(chance: str = "any") -> tuple[Population, float]:
    population = exponential(Random(chance))
    return population, population.when_left(0.1)


def test_while_sessions_are_issued_nothing_is_forecast() -> None:
    found = forecast([Counted(BEGIN, 5)], now=BEGIN)
    assert (found.p50, found.p90) == (None, None)
    assert found.why == "legacy sessions are still issued"


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ([], "nothing was counted since the drain began"),
        ([(0, 900), (1, 90), (2, 80)], "the last count is 1d 22h old"),
        ([(0, 900), (40, 40), (44, 80), (48, 80)], "the count has grown: sessions are still made"),
        ([(0, 900), (24, 800), (48, 700)], "78% are left; those who come rarely show below 10%"),
        ([(0, 900), (24, 90), (48, 80)], "too few counts: 3 since the drain began"),
        ([(h, 10 if h < 8 else 1) for h in range(0, 49, 8)], "too few sessions have ended: 9"),
    ],
)
def test_what_the_counts_cannot_say_is_unknown_and_the_reason_is_given(
    counts: list[tuple[float, int]], why: str
) -> None:
    found = forecast([Counted(time(h), n) for h, n in counts], now=time(48), since=BEGIN)
    assert (found.p50, found.p90, found.why) == (None, None, why)


def test_sessions_that_are_used_for_ever_have_no_end() -> None:
    counts = [Counted(time(h), 2000 if h == 0 else 120) for h in range(0, 1000, 4)]
    in_use = Lifetimes(counts[-1].at, ((DAY * 7, 120),), renewed_to=DAY * 7)
    found = forecast(counts, now=counts[-1].at, since=BEGIN, lifetimes=in_use)
    assert (found.p90, found.why) == (None, "too few sessions have ended: 0")


def test_counts_before_the_drain_say_nothing() -> None:
    population, at_h = falling()
    before = [Counted(BEGIN - timedelta(hours=h), 10) for h in (3, 2, 1)]
    counts = population.counts(at_h)
    assert forecast(before + counts, now=time(at_h), since=BEGIN) == forecast(
        counts, now=time(at_h), since=BEGIN
    )


def test_no_forecast_is_later_than_what_ends_the_last_session_anyway() -> None:
    population, at_h = falling()
    latest = time(at_h) + HOUR
    found = forecast(population.counts(at_h), now=time(at_h), since=BEGIN, latest=latest)
    assert (found.p50, found.p90) == (latest, latest)
    assert found.why == "how the count fell, cut at what ends the last one anyway"


def test_after_the_deadline_there_is_nothing_left_to_forecast() -> None:
    population, at_h = falling()
    refused = time(at_h) - HOUR
    found = forecast(population.counts(at_h), now=time(at_h), since=BEGIN, latest=refused)
    assert (found.p50, found.p90) == (refused, refused)
    assert found.why == "legacy sessions are refused since then"


def test_the_last_end_of_sessions_that_nothing_renews_is_known_exactly() -> None:
    now = BEGIN + 2 * HOUR
    fixed = Lifetimes(now, ((HOUR, 40), (DAY * 3, 2), (DAY, 8)))
    found = forecast([Counted(now, 50)], now=now, since=BEGIN, lifetimes=fixed)
    assert (found.p50, found.p90) == (now + DAY * 3, now + DAY * 3)
    sooner = forecast([Counted(now, 50)], now=now, since=BEGIN, lifetimes=fixed, latest=now + DAY)
    assert (sooner.p50, sooner.p90) == (now + DAY, now + DAY)


def test_a_small_rest_is_reached_earlier() -> None:
    population, at_h = falling()
    none_left, few_left = (
        forecast(population.counts(at_h), now=time(at_h), since=BEGIN, rest=rest)
        for rest in (0, 10)
    )
    assert few_left.p50 is not None
    assert none_left.p50 is not None
    assert few_left.p90 is not None
    assert few_left.p50 < few_left.p90 < none_left.p50


def test_an_end_that_was_counted_is_no_forecast_any_more() -> None:
    counts = [Counted(time(0), 9), Counted(time(5), 3), Counted(time(7), 0), Counted(time(9), 0)]
    found = forecast(counts, now=time(9), since=BEGIN)
    assert (found.p50, found.p90) == (time(7), time(7))


def test_the_week_is_read_from_the_counts_and_its_clock_runs_both_ways() -> None:
    population = weekly_rhythm(Random(3))
    counts = population.counts(24 * 28)
    rhythm = rhythm_of([(count.at, count.holding) for count in counts])
    nights, days = rhythm.speeds[0:20:4], rhythm.speeds[2:20:4]
    assert max(nights) < min(days)
    for h in range(0, 400, 7):
        assert abs(rhythm.time(rhythm.hours(time(h))) - time(h)) < timedelta(seconds=1)


def test_a_drain_that_only_slows_down_has_no_rhythm_within_two_weeks() -> None:
    population, _ = falling()
    counts = population.counts(24 * 13)
    assert rhythm_of([(count.at, count.holding) for count in counts]) == Rhythm()


def test_how_wrong_forecasts_were_is_known_once_the_end_was_counted() -> None:
    counts = [Counted(time(h), left) for h, left in ((0, 9), (10, 0), (12, 2), (20, 0), (30, 0))]
    said = [time(25), time(18), time(80)]
    assert median_error(said, counts, rest=0) == 5
    assert median_error(said, counts[:3], rest=0) is None
    assert median_error([], counts, rest=0) is None
    assert median_error(said, counts, rest=2) == 15
