"""How a population that only shrinks goes on shrinking: one kind of member, or two.

Members end independently. The number that is left says how fast, with which doubt; the doubt is
carried into every answer, because a mean curve alone would promise more than the counts do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS, SETTLING, KEPT = {1: 240, 2: 720}, 120, 40
# Chosen on generated populations: the whole of Schwarz's penalty believes in one kind too long.
SCHWARZ = 0.6
_SCALES = (0.05, 0.2, 0.7)
_LONGEST, _SHORTEST = 30, 50
_MOST_DIFFERENT, _SUREST = 30, 20
_FIRST_GUESS = {1: (0.0,), 2: (-0.5, 1.5, 0.0)}
_IMPOSSIBLE, _TINY = float("-inf"), 1e-300


@dataclass(frozen=True)
class Curve:
    """What part is left at a time.

    Attributes:
        slow: Rate at which the slower kind ends, per unit of time.
        fast: The same of the faster kind.
        share: Part of the slower kind at time 0, 0 to 1.
    """

    slow: float
    fast: float
    share: float

    def left(self, at: float) -> float:
        """Give the part that is left."""
        return self.share * exp(-self.slow * at) + (1 - self.share) * exp(-self.fast * at)


@dataclass(frozen=True)
class Fit:
    """Curves that the counts allow, each with its weight; the weights add up to 1."""

    curves: tuple[tuple[float, Curve], ...]

    def ended(self, at: float, *, since: float, count: int, rest: int = 0) -> float:
        """Give the probability that no more than `rest` of `count` members are left at `at`.

        Args:
            at: A time after `since`.
            since: When `count` members were left.
            count: Their number.
            rest: How many may be left.
        """
        return sum(
            weight * _at_most(rest, count, curve.left(at) / curve.left(since))
            for weight, curve in self.curves
        )

    def when(self, chance: float, *, since: float, count: int, rest: int = 0) -> float:
        """Give the time at which `ended` reaches a probability, to a five-hundredth of the way."""
        step = since or 1.0
        while self.ended(since + step, since=since, count=count, rest=rest) < chance:
            step *= 2
        low, high = since, since + step
        while high - low > (high - since) / 500:
            middle = (low + high) / 2
            if self.ended(middle, since=since, count=count, rest=rest) < chance:
                low = middle
            else:
                high = middle
        return high


def fit(points: Sequence[tuple[float, int]]) -> Fit:
    """Find the curves that fit counts which never rise.

    Two kinds are believed as far as they explain the counts better than one (Schwarz's criterion).

    Args:
        points: Times from 0 on, and how many were left; at least one member ended.
    """
    span, ended = points[-1][0], points[0][1] - points[-1][1]
    one, best_one = _walk(points, span, kinds=1)
    two, best_two = _walk(points, span, kinds=2)
    gain = best_two - best_one - SCHWARZ * log(ended)
    share = _logistic(gain)
    weighted = [((1 - share) / len(one), curve) for curve in one]
    weighted += [(share / len(two), curve) for curve in two]
    return Fit(tuple((weight, curve) for weight, curve in weighted if weight > 1e-9 / KEPT))


def _walk(
    points: Sequence[tuple[float, int]], span: float, *, kinds: int
) -> tuple[list[Curve], float]:
    """Walk through the curves as the counts allow (Metropolis); give some, and the best likelihood."""
    chance = Random(kinds)  # noqa: S311 - the same counts give the same forecast
    at = _FIRST_GUESS[kinds]
    curve = _curve(at, span)
    score = _log_likelihood(curve, points) + _log_prior(at)
    seen, best = [curve], score
    for _ in range(STEPS[kinds]):
        scale = chance.choice(_SCALES)
        there = tuple(value + chance.gauss(0, scale) for value in at)
        prior = _log_prior(there)
        if prior == _IMPOSSIBLE:
            seen.append(curve)
            continue
        proposed = _curve(there, span)
        likely = _log_likelihood(proposed, points)
        best = max(best, likely)
        if log(chance.random() or _TINY) < likely + prior - score:
            at, curve, score = there, proposed, likely + prior
        seen.append(curve)
    return seen[SETTLING :: (STEPS[kinds] - SETTLING) // KEPT], best


def _curve(at: tuple[float, ...], span: float) -> Curve:
    slow = exp(at[0]) / span
    if len(at) == 1:
        return Curve(slow, slow, 1.0)
    return Curve(slow, slow * exp(at[1]), _logistic(at[2]))


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-max(-_SUREST, min(value, _SUREST))))


def _log_prior(at: tuple[float, ...]) -> float:
    """Every order of magnitude of a rate and every share is as likely before the counts speak."""
    if not -log(_LONGEST) < at[0] < log(_SHORTEST):
        return _IMPOSSIBLE
    if len(at) == 1:
        return 0.0
    if not (0 <= at[1] < log(_MOST_DIFFERENT) and abs(at[2]) < _SUREST):
        return _IMPOSSIBLE
    share = _logistic(at[2])
    return log(share * (1 - share))


def _log_likelihood(curve: Curve, points: Sequence[tuple[float, int]]) -> float:
    """Give the logarithm of the likelihood; the innermost loop, hence without a call of `left`."""
    slow, fast, share = -curve.slow, -curve.fast, curve.share
    rest, before, more, total = 1 - share, 1.0, points[0][1], 0.0
    for at, fewer in points:
        left = share * exp(slow * at) + rest * exp(fast * at)
        if more > fewer:
            total += (more - fewer) * log(before - left or _TINY)
        before, more = left, fewer
    return total + more * log(before or _TINY)


def _at_most(rest: int, count: int, left: float) -> float:
    """Give the probability that at most `rest` of `count` are left, each with the chance `left`."""
    if count <= rest:
        return 1.0
    if left >= 1:
        return 0.0
    term = total = (1 - left) ** count
    for taken in range(rest):
        term *= (count - taken) / (taken + 1) * left / (1 - left)
        total += term
    return total
