"""From the samples of a gate to its verdict. Whatever is not known holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from migrator.core.clock import iso
from migrator.core.durations import format_duration
from migrator.gates.spec import COVERED_RATIO
from migrator.gates.verdict import GateState, Verdict
from migrator.metrics.interface import Grade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.gates.spec import GateSpec

LOOK_TAKES = timedelta(seconds=1)
_PASSES = frozenset({GateState.PASSED, GateState.EXPIRED})
_UNDECIDED = frozenset({GateState.ACCUMULATING, GateState.HELD})
_STILL = "passed before, and the newest look is OK"


@dataclass(frozen=True)
class Sample:
    """One graded measurement, with the hash of the specification that it was taken for.

    Attributes:
        lost: Events may have happened before it that nobody can count any more: counting begins anew.
    """

    at: datetime
    grade: Grade
    value: float | None
    reason: str
    spec_hash: str
    lost: bool = False

    @property
    def ends_a_run(self) -> bool:
        """Whether nothing before it counts towards a pass, nor it itself."""
        return self.grade is Grade.BREACH or self.lost


@dataclass(frozen=True)
class _Run:
    """What counts towards a pass: samples of this specification, after the last breach or silence."""

    ok_in_a_row: int
    reach: timedelta
    covered: float


def evaluate(
    spec: GateSpec,
    samples: Sequence[Sample],
    *,
    now: datetime,
    pass_until: datetime | None = None,
) -> Verdict:
    """Judge a gate.

    To pass, the last `consecutive` samples are OK, the samples reach back over the whole span without
    a BREACH, a loss or a long silence in it, and OK samples cover 90 % of it.

    Args:
        spec: The gate.
        samples: Its samples, in any order; those of another specification only invalidate.
        now: The time of the decision.
        pass_until: The end of a pass that was given before and still holds; a look that is OK
            leaves it as it is.
    """
    wanted = spec.hash
    mine = sorted((s for s in samples if s.spec_hash == wanted), key=lambda s: s.at)
    if not mine:
        return _without_samples(spec, stale_ones=bool(samples), now=now)
    newest, run = mine[-1], _run(spec, mine)
    state, reason, next_look = _judge(spec, newest, run, now)
    until = newest.at + spec.good_for if state in _PASSES else None
    if state in _UNDECIDED and pass_until and _still_holds(spec, mine, pass_until, now):
        state, reason, next_look, until = GateState.PASSED, _STILL, None, pass_until
    return Verdict(
        spec,
        state,
        reason,
        next_look=next_look,
        ok_in_a_row=run.ok_in_a_row,
        covered=run.covered,
        good_until=until,
        value=newest.value,
        measured_at=newest.at,
        grade=newest.grade,
        since=_alike_since(mine) if state in _PASSES else _since(spec, mine, now),
        last_ok=next((s.at for s in reversed(mine) if s.grade is Grade.OK), None),
        missing=_missing(spec, run),
    )


def _still_holds(
    spec: GateSpec, samples: Sequence[Sample], pass_until: datetime, now: datetime
) -> bool:
    """Tell whether a pass outlives what came after it.

    A breach ends it even where nobody wrote that down: a look that was killed, or another watch whose
    sample is newer.
    """
    given_at = pass_until - spec.good_for
    broken = any(s.grade is Grade.BREACH and s.at >= given_at for s in samples)
    return samples[-1].grade is Grade.OK and now <= pass_until and not broken


def _since(spec: GateSpec, samples: Sequence[Sample], now: datetime) -> datetime:
    silent_from = samples[-1].at + spec.longest_gap
    return silent_from if now > silent_from else _alike_since(samples)


def _alike_since(samples: Sequence[Sample]) -> datetime:
    first = samples[-1]
    for sample in reversed(samples):
        if sample.grade is not first.grade:
            break
        first = sample
    return first.at


def _without_samples(spec: GateSpec, *, stale_ones: bool, now: datetime) -> Verdict:
    if stale_ones:
        reason = "the gate was changed after it was measured: counting begins anew"
        return Verdict(spec, GateState.INVALIDATED, reason, next_look=now)
    return Verdict(spec, GateState.PENDING, "nothing was measured yet", next_look=now)


def _judge(
    spec: GateSpec, newest: Sample, run: _Run, now: datetime
) -> tuple[GateState, str, datetime | None]:
    following = max(now, newest.at + spec.interval)
    if newest.at > now + spec.longest_gap:
        reason = (
            f"the newest sample is from {iso(newest.at)}, which is still to come: check the clock"
        )
        return GateState.HELD, reason, newest.at
    if _complete(spec, run):
        return _passed(spec, newest, run, now)
    if now - newest.at > spec.longest_gap:
        silence = format_duration(now - newest.at)
        return GateState.HELD, f"nobody has looked for {silence}: counting begins anew", now
    if newest.grade is Grade.BREACH:
        return GateState.FAILED, newest.reason, following
    if newest.grade is not Grade.OK:
        return GateState.HELD, f"{newest.grade}: {newest.reason}", following
    return GateState.ACCUMULATING, _missing(spec, run), following


def _passed(
    spec: GateSpec, newest: Sample, run: _Run, now: datetime
) -> tuple[GateState, str, datetime | None]:
    until = newest.at + spec.good_for
    if now > until:
        return GateState.EXPIRED, f"the pass ended at {iso(until)}", now
    reason = f"{newest.reason}, {run.ok_in_a_row} times in a row over {format_duration(run.reach)}"
    return GateState.PASSED, reason, None


def _complete(spec: GateSpec, run: _Run) -> bool:
    enough = run.ok_in_a_row >= spec.consecutive
    return enough and run.reach >= spec.span and run.covered >= COVERED_RATIO


def _missing(spec: GateSpec, run: _Run) -> str:
    said = []
    if run.ok_in_a_row < spec.consecutive:
        said.append(f"{run.ok_in_a_row} of {spec.consecutive} OK in a row")
    if run.reach < spec.span:
        said.append(f"{format_duration(run.reach)} of {format_duration(spec.span)}")
    elif run.covered < COVERED_RATIO:
        said.append(f"OK samples cover {run.covered:.0%} of the span, {COVERED_RATIO:.0%} needed")
    return ", ".join(said)


def _run(spec: GateSpec, samples: Sequence[Sample]) -> _Run:
    run = _unbroken(spec, samples)
    first_ok = next((s.at for s in run if s.grade is Grade.OK), None)
    reach = run[-1].at - first_ok if run and first_ok is not None else timedelta(0)
    return _Run(_ok_in_a_row(run), reach, _covered(spec, run))


def _unbroken(spec: GateSpec, samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Give the newest samples without a breach, a loss or a silence among them."""
    if samples[-1].ends_a_run:
        return ()
    first = len(samples) - 1
    while first > 0:
        before, after = samples[first - 1], samples[first]
        if before.ends_a_run or after.at - before.at > spec.longest_gap:
            break
        first -= 1
    return tuple(samples[first:])


def _ok_in_a_row(run: Sequence[Sample]) -> int:
    count = 0
    for sample in reversed(run):
        if sample.grade is not Grade.OK:
            break
        count += 1
    return count


def _covered(spec: GateSpec, run: Sequence[Sample]) -> float:
    """Give the share of the span that OK samples stand for, each for one interval at most.

    It is the share of the expected samples, measured in time: ten samples in one second stand for
    one second. What a look itself takes is not held against the next one.
    """
    if not run or not spec.span:
        return 1.0 if run else 0.0
    begins = run[-1].at - spec.span
    stood_for = timedelta(0)
    for before, after in pairwise(run):
        if after.grade is Grade.OK and after.at > begins:
            stood_for += min(after.at - max(before.at, begins), spec.interval + LOOK_TAKES)
    return stood_for / spec.span
