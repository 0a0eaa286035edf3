"""When a bound of health is broken for sure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from migrator.metrics.interface import Grade

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrator.gates.evaluate import Sample
    from migrator.gates.spec import GateSpec


SPREAD_RATIO = 0.8


def breaches(
    spec: GateSpec, samples: Sequence[Sample], *, now: datetime, since: datetime
) -> tuple[Sample, ...]:
    """Give the samples that confirm a breach: the newest so many, all of them broken; else none.

    Args:
        spec: Of the regress.
        samples: In any order.
        now: The time of the decision; samples that are too old confirm nothing.
        since: When the stage was moved last; what was before is not its doing.
    """
    mine = sorted((s for s in samples if s.spec_hash == spec.hash and s.at > since), key=_at)
    newest = tuple(mine[-spec.consecutive :])
    broken = len(newest) == spec.consecutive and all(s.grade is Grade.BREACH for s in newest)
    return newest if broken and _are_spread(spec, newest, now) else ()


def _are_spread(spec: GateSpec, samples: Sequence[Sample], now: datetime) -> bool:
    """Tell whether samples are neither apart nor crowded: two watches in one second see one moment.

    Those that are still to come were taken before the clock was set back: nobody knows how old they are.
    """
    times = [sample.at for sample in samples]
    if times[-1] > now + spec.longest_gap:
        return False
    unbroken = all(after - before <= spec.longest_gap for before, after in pairwise([*times, now]))
    return (
        unbroken and times[-1] - times[0] >= (spec.consecutive - 1) * spec.interval * SPREAD_RATIO
    )


def _at(sample: Sample) -> datetime:
    return sample.at
