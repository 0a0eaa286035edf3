"""What pairs of measurements say: the median of what each gave, its 95 % interval, and a verdict over a bound.

Both halves of a pair are taken in turns, so that a busy machine slows both. The interval is made of order
statistics, which assumes nothing about the distribution, and is exact for few values too.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of all that the interval may miss, on each side.
_BEYOND = 0.025
MIN_VALUES = 6


class Middle(NamedTuple):
    """A median and its 95 % interval."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Middle:
        """Give what values say.

        Raises:
            ValueError: There are fewer than `MIN_VALUES`, which have no such interval.
        """
        if len(values) < MIN_VALUES:
            raise ValueError(f"fewer than {MIN_VALUES} values")
        ordered, rank = sorted(values), _rank(len(values))
        return cls(statistics.median(ordered), ordered[rank - 1], ordered[-rank])

    def verdict(self, *, at_least: float) -> str:
        """Say whether the median reaches a bound, with the whole interval."""
        if self.low >= at_least:
            return "holds"
        return "misses" if self.high < at_least else "cannot tell"


def _rank(count: int) -> int:
    """Give the greatest rank below which the median of all lies with a chance of at most `_BEYOND`."""
    rank, chance = 0, _chance(count, 0)
    while chance <= _BEYOND:
        rank += 1
        chance += _chance(count, rank)
    return rank


def _chance(count: int, below: int) -> float:
    """Give the chance that just so many of all values are below the median."""
    ways = math.lgamma(count + 1) - math.lgamma(below + 1) - math.lgamma(count - below + 1)
    return math.exp(ways - count * math.log(2))
