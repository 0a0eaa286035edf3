"""When the last legacy session will have ended: with its doubt, never later than what ends it anyway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from statistics import median
from typing import TYPE_CHECKING

from migrator.core.durations import format_duration
from migrator.metrics.rhythm import rhythm_of
from migrator.metrics.survival import fit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MIN_SAMPLES, MIN_ENDED = 6, 15
LIKELY, ALMOST_SURE = 0.5, 0.9
MOST_LEFT = 0.1
MIN_SPAN = timedelta(hours=3)
STALE_AFTER = timedelta(hours=6)
GROWN_RATIO = 1.02
FARTHEST_RATIO = 20
POINTS = 20


@dataclass(frozen=True)
class Counted:
    """How many legacy sessions held a user at a time; only counts without a doubt."""

    at: datetime
    holding: int


@dataclass(frozen=True)
class Lifetimes:
    """How long the counted sessions live if nobody uses them.

    Attributes:
        at: When they were read.
        remaining: A histogram: so much time left, so many sessions.
        renewed_to: The lifetime that a use gives a session again; None when a use gives none.
    """

    at: datetime
    remaining: tuple[tuple[timedelta, int], ...]
    renewed_to: timedelta | None = None

    @property
    def last(self) -> datetime:
        """Give the last end if there is no more use."""
        return self.at + max((span for span, _ in self.remaining), default=timedelta())

    def left(self, at: datetime) -> int:
        """Give how many sessions are left at a time without any more use."""
        return sum(count for span, count in self.remaining if self.at + span > at)


@dataclass(frozen=True)
class Forecast:
    """When no more than `rest` sessions are left.

    Attributes:
        p50: As likely before as after; None when unknown.
        p90: Nine of ten such drains are over by then; None when unknown.
        why: What it is read from, or why it is unknown.
    """

    rest: int
    p50: datetime | None
    p90: datetime | None
    why: str


def forecast(
    counts: Sequence[Counted],
    *,
    now: datetime,
    rest: int = 0,
    since: datetime | None = None,
    lifetimes: Lifetimes | None = None,
    latest: datetime | None = None,
) -> Forecast:
    """Say when the drain ends.

    Args:
        counts: In the order of time.
        now: The present.
        rest: How many sessions may be left.
        since: When the last legacy session was issued; counts before it say nothing. None while
            sessions are issued.
        lifetimes: What is known of the sessions themselves.
        latest: The earlier of the bound and the deadline.
    """
    if since is None:
        return Forecast(rest, None, None, "legacy sessions are still issued")
    if latest is not None and latest <= now:
        return Forecast(rest, latest, latest, "legacy sessions are refused since then")
    known = [count for count in counts if since <= count.at <= now]
    doubt = _doubt(known, now)
    if doubt:
        return Forecast(rest, None, None, doubt)
    if known[-1].holding <= rest:
        reached = next(count.at for count in known if count.holding <= rest)
        return Forecast(rest, reached, reached, f"no more than {rest} are left")
    found = _from_ends(known, rest=rest, since=since, lifetimes=lifetimes)
    if lifetimes and not lifetimes.renewed_to:
        latest = min(lifetimes.last, latest or lifetimes.last)
        if found.p50 is None:
            return Forecast(rest, latest, latest, "the last session's own end")
    return _no_later(found, latest)


def median_error(
    said: Sequence[datetime], counts: Sequence[Counted], *, rest: int
) -> float | None:
    """Give by how many hours forecasts were wrong, as the median; None before the end was counted.

    Args:
        said: The P50 of each forecast.
        counts: All counts, in the order of time.
        rest: How many sessions the forecasts allowed to be left.
    """
    end = _reached(counts, rest)
    if end is None or not said:
        return None
    return median(abs(end - p50) / timedelta(hours=1) for p50 in said)


def _reached(counts: Sequence[Counted], rest: int) -> datetime | None:
    """Give when the count came down to `rest` and stayed there, None if it has not."""
    end = None
    for count in counts:
        if count.holding > rest:
            end = None
        elif end is None:
            end = count.at
    return end


def _doubt(known: Sequence[Counted], now: datetime) -> str:
    if not known:
        return "nothing was counted since the drain began"
    if now - known[-1].at > STALE_AFTER:
        return f"the last count is {format_duration(now - known[-1].at)} old"
    if known[-1].holding > GROWN_RATIO * min(count.holding for count in known) + 2:
        return "the count has grown: sessions are still made"
    return ""


def _too_early(known: Sequence[Counted]) -> str:
    """Say whether those who come back rarely cannot have shown yet: the many hide them."""
    part = known[-1].holding / known[0].holding
    if part <= MOST_LEFT:
        return ""
    return f"{part:.0%} are left; those who come rarely show below {MOST_LEFT:.0%}"


def _from_ends(
    known: Sequence[Counted], *, rest: int, since: datetime, lifetimes: Lifetimes | None
) -> Forecast:
    """Forecast from the ends that were seen, and those that the sessions' idle time tells already."""
    early = _too_early(known)
    if early:
        return Forecast(rest, None, None, early)
    points = [(count.at, count.holding) for count in known]
    why = "how the count fell"
    if lifetimes and lifetimes.renewed_to:
        points = _foreseen(points, since, lifetimes, lifetimes.renewed_to)
        why = "how long sessions have not been used"
    points = _never_rising(points)
    if len(points) < MIN_SAMPLES or points[-1][0] - points[0][0] < MIN_SPAN:
        return Forecast(rest, None, None, f"too few counts: {len(points)} since the drain began")
    ended = points[0][1] - points[-1][1]
    if ended < MIN_ENDED:
        return Forecast(rest, None, None, f"too few sessions have ended: {ended}")
    return _extrapolated(points, rest, why)


def _extrapolated(points: Sequence[tuple[datetime, int]], rest: int, why: str) -> Forecast:
    at, left = points[-1]
    if left <= rest:
        reached = next(time for time, count in points if count <= rest)
        return Forecast(rest, reached, reached, why)
    rhythm = rhythm_of(points)
    begin = rhythm.hours(points[0][0])
    curves = fit([(rhythm.hours(time) - begin, count) for time, count in _thinned(points)])
    since = rhythm.hours(at) - begin
    farthest = since * (1 + FARTHEST_RATIO)
    if curves.ended(farthest, since=since, count=left, rest=rest) < ALMOST_SURE:
        return Forecast(rest, None, None, "too slow to say: far more than was seen is to come")
    p50, p90 = (
        rhythm.time(begin + curves.when(chance, since=since, count=left, rest=rest))
        for chance in (LIKELY, ALMOST_SURE)
    )
    return Forecast(rest, p50, p90, why)


def _foreseen(
    points: Sequence[tuple[datetime, int]],
    since: datetime,
    lifetimes: Lifetimes,
    renewed_to: timedelta,
) -> list[tuple[datetime, int]]:
    """Add counts to come to those that were seen.

    A session that was not used for half of its lifetime is taken for given up. Until one lifetime
    after the last was issued, sessions given up before end as well, which says nothing of the others.
    """
    begin = since + renewed_to
    seen = [point for point in points if point[0] >= begin]
    start = max(begin, lifetimes.at)
    end = lifetimes.at + renewed_to / 2
    steps = [start + (end - start) * step / POINTS for step in range(1, POINTS + 1)]
    return seen + [(at, lifetimes.left(at)) for at in steps if end > start]


def _never_rising(points: Sequence[tuple[datetime, int]]) -> list[tuple[datetime, int]]:
    lowest = [*accumulate((count for _, count in points), min)]
    return [(at, low) for (at, _), low in zip(points, lowest, strict=True)]


def _thinned(points: Sequence[tuple[datetime, int]]) -> list[tuple[datetime, int]]:
    """Choose a few points, the first and the last among them, evenly in their number."""
    if len(points) <= POINTS:
        return list(points)
    last = len(points) - 1
    return [points[round(step * last / (POINTS - 1))] for step in range(POINTS)]


def _no_later(found: Forecast, latest: datetime | None) -> Forecast:
    if latest is None or found.p50 is None or found.p90 is None or found.p90 <= latest:
        return found
    why = f"{found.why}, cut at what ends the last one anyway"
    return Forecast(found.rest, min(found.p50, latest), latest, why)
