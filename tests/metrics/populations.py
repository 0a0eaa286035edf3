"""Populations of sessions, each session lived through by itself, so that the truth is known."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from migrator.metrics.forecast import Counted, Lifetimes

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

BEGIN = datetime(2026, 3, 4, 10, tzinfo=UTC)
EVERY_H = 3.0
DAY_H, WEEK_H = 24.0, 168.0


@dataclass(frozen=True)
class Population:
    """Sessions at the moment from which no more are issued.

    Attributes:
        ends: When each session ends, in hours, sorted.
        visits: For sliding sessions the times of each one's visits.
        ttl_h: What a visit gives a sliding session.
    """

    ends: tuple[float, ...]
    visits: tuple[tuple[float, ...], ...] = ()
    ttl_h: float | None = None

    def left(self, at_h: float) -> int:
        return len(self.ends) - bisect_right(self.ends, at_h)

    def reached(self, rest: int = 0) -> datetime:
        return time(self.ends[len(self.ends) - 1 - rest])

    def when_left(self, share: float) -> float:
        """Give the first look at which no more than a share is left."""
        return EVERY_H * (self.ends[int(len(self.ends) * (1 - share))] // EVERY_H + 1)

    def counts(self, until_h: float) -> list[Counted]:
        looks = range(round(until_h / EVERY_H) + 1)
        return [Counted(time(look * EVERY_H), self.left(look * EVERY_H)) for look in looks]

    def lifetimes(self, at_h: float) -> Lifetimes | None:
        if self.ttl_h is None:
            return None
        idle = (at_h - last_visit(visits, at_h, self.ttl_h) for visits in self.visits)
        remaining = tuple((timedelta(hours=self.ttl_h - h), 1) for h in idle if h < self.ttl_h)
        return Lifetimes(time(at_h), remaining, renewed_to=timedelta(hours=self.ttl_h))


def time(at_h: float) -> datetime:
    return BEGIN + timedelta(hours=at_h)


def last_visit(visits: tuple[float, ...], at_h: float, ttl_h: float) -> float:
    """Give the last visit while the session lived; who comes after its end finds it gone."""
    last = visits[0]
    for visit in visits:
        if visit > at_h or visit - last >= ttl_h:
            break
        last = visit
    return last


def exponential(chance: Random) -> Population:
    """Everybody comes back equally often, and is taken over then."""
    mean_h = chance.uniform(1, 10) * DAY_H
    size = chance.randrange(200, 2000)
    return Population(tuple(sorted(chance.expovariate(1 / mean_h) for _ in range(size))))


def two_populations(chance: Random) -> Population:
    """Some come every day, some hardly ever."""
    fast_h = chance.uniform(0.5, 2) * DAY_H
    slow_h = fast_h * chance.uniform(5, 12)
    slow, size = chance.uniform(0.15, 0.5), chance.randrange(400, 2000)
    means = (slow_h if chance.random() < slow else fast_h for _ in range(size))
    return Population(tuple(sorted(chance.expovariate(1 / mean_h) for mean_h in means)))


def weekly_rhythm(chance: Random) -> Population:
    """Nobody is up at night and few at weekends; a visit at a dead hour takes place with this chance."""
    mean_h = chance.uniform(4, 12) * DAY_H
    size, quiet = chance.randrange(400, 2000), chance.uniform(0.05, 0.3)

    def end() -> float:
        at_h = 0.0
        while True:
            at_h += chance.expovariate(2 / mean_h)
            if chance.random() < busy(at_h, quiet):
                return at_h

    return Population(tuple(sorted(end() for _ in range(size))))


def busy(at_h: float, quiet: float) -> float:
    at = time(at_h)
    weekend = quiet if at.weekday() >= 5 else 1.0
    return weekend * (1.0 if 7 <= at.hour < 22 else quiet)


def sliding_sessions(chance: Random) -> Population:
    """Each visit renews the session, until its owner gives it up; some had done so before the begin."""
    ttl_h = chance.uniform(5, 14) * DAY_H
    kept_h = chance.uniform(4, 12) * DAY_H
    per_h = chance.uniform(1, 4) / DAY_H
    lives, ends = [], []
    for _ in range(chance.randrange(200, 800)):
        visits = _life(chance, ttl_h=ttl_h, kept_h=kept_h, per_h=per_h)
        end = last_visit(visits, float("inf"), ttl_h) + ttl_h
        if end > 0:
            lives.append(visits)
            ends.append(end)
    return Population(tuple(sorted(ends)), tuple(lives), ttl_h)


def _life(chance: Random, *, ttl_h: float, kept_h: float, per_h: float) -> tuple[float, ...]:
    """Give the visits of a session that was issued some time before the begin."""
    issued = -chance.uniform(0, ttl_h + 5 * kept_h)
    given_up = issued + chance.expovariate(1 / kept_h)
    visits = [issued]
    while (following := visits[-1] + chance.expovariate(per_h)) < given_up:
        visits.append(following)
    return tuple(visits)


KINDS: dict[str, Callable[[Random], Population]] = {
    "exponential": exponential,
    "two populations": two_populations,
    "weekly rhythm": weekly_rhythm,
    "sliding sessions": sliding_sessions,
}
