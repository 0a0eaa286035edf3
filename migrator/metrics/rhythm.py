"""The week of a population: in which hours sessions end, and a clock that runs as they do."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WEEK, BLOCK = timedelta(days=7), timedelta(hours=6)
BLOCKS = WEEK // BLOCK
_ENOUGH_ENDED = 50
DAMPING = 3.0
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rhythm:
    """How fast the population's own clock runs in each quarter of a day of the week, 1 on average."""

    speeds: tuple[float, ...] = (1.0,) * BLOCKS

    def hours(self, at: datetime) -> float:
        """Give a time on the population's clock, in hours."""
        weeks, rest = divmod(at - _MONDAY, WEEK)
        block, part = divmod(rest, BLOCK)
        within = sum(self.speeds[:block]) + self.speeds[block] * (part / BLOCK)
        return (weeks * BLOCKS + within) * (BLOCK / timedelta(hours=1))

    def time(self, hours: float) -> datetime:
        """Give the time at which the population's clock shows so many hours."""
        weeks, rest = divmod(hours / (BLOCK / timedelta(hours=1)), BLOCKS)
        ends = [*accumulate(self.speeds)]
        block = min(bisect_right(ends, rest), BLOCKS - 1)
        part = (rest - (ends[block] - self.speeds[block])) / self.speeds[block]
        return _MONDAY + weeks * WEEK + (block + part) * BLOCK


def rhythm_of(points: Sequence[tuple[datetime, int]]) -> Rhythm:
    """Read the rhythm from counts that never rise.

    What ended in a block is compared with what ended in the week around it: a drain that slows down
    has no rhythm by that. Less than two weeks, or too few ends, give the even rhythm: a week that was
    not seen is not guessed.
    """
    first, last = points[0][0] + WEEK / 2, points[-1][0] - WEEK / 2
    if last - first < WEEK:
        return Rhythm()
    ended, expected = [DAMPING] * BLOCKS, [DAMPING] * BLOCKS
    for (before, more), (after, fewer) in pairwise(points):
        middle = before + (after - before) / 2
        if first <= middle <= last and after - before <= BLOCK:
            block = (middle - _MONDAY) % WEEK // BLOCK
            ended[block] += more - fewer
            expected[block] += more * _fallen_around(points, middle) * ((after - before) / WEEK)
    if sum(ended) < _ENOUGH_ENDED + DAMPING * BLOCKS:
        return Rhythm()
    speeds = [seen / usual for seen, usual in zip(ended, expected, strict=True)]
    return Rhythm(tuple(speed * BLOCKS / sum(speeds) for speed in speeds))


def _fallen_around(points: Sequence[tuple[datetime, int]], middle: datetime) -> float:
    """Give by how much the logarithm of the count fell in the week around a time."""
    more, fewer = (
        points[bisect_left(points, (middle + half, 0))][1] for half in (-WEEK / 2, WEEK / 2)
    )
    return log((more + 0.5) / (fewer + 0.5))
