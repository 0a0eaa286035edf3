"""The counted curve: where it is broken, and how it looks in one line of text. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Count = tuple[datetime, int]
GAP_STEPS, SHORTEST_GAP = 3, timedelta(minutes=90)
BLOCKS, DIGITS = "▁▂▃▄▅▆▇█", "123456789"
ZERO, NOT_COUNTED = "_", " "


def longest_step(curve: Sequence[Count]) -> timedelta:
    """Give the time between two counts after which somebody stopped counting."""
    steps = [(b[0] - a[0]).total_seconds() for a, b in pairwise(curve)]
    usual = timedelta(seconds=median(steps)) if steps else timedelta()
    return max(GAP_STEPS * usual, SHORTEST_GAP)


def unbroken(curve: Sequence[Count]) -> list[list[Count]]:
    """Cut the curve where nobody counted."""
    longest, parts = longest_step(curve), [[curve[0]]]
    for before, after in pairwise(curve):
        if after[0] - before[0] > longest:
            parts.append([])
        parts[-1].append(after)
    return parts


def sparkline(curve: Sequence[Count], *, until: datetime, width: int, plain: bool = False) -> str:
    """Draw the curve with one character for each stretch of time, a blank where nobody counted.

    Args:
        curve: At least one count, in the order of time.
        until: What the right edge stands for.
        width: Number of characters.
        plain: With digits, where blocks cannot be shown.
    """
    begin, levels = curve[0][0], DIGITS if plain else BLOCKS
    longest, highest = longest_step(curve), max(count for _, count in curve)
    step = max(until - begin, timedelta(minutes=1)) / width
    drawn, left = "", list(curve)
    at, count = left.pop(0)
    for column in range(1, width + 1):
        edge = begin + step * column
        while left and left[0][0] <= edge:
            at, count = left.pop(0)
        known = edge - at <= max(longest, step)
        drawn += _level(count, highest, levels) if known else NOT_COUNTED
    return drawn


def _level(count: int, highest: int, levels: str) -> str:
    if not count:
        return ZERO
    return levels[min(count * len(levels) // (highest + 1), len(levels) - 1)]
