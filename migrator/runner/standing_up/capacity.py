"""Measures the configured Auther's capacity and keeps the figure for the steps of the cutover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.auther.capacity import Load, Step, best, measure, was_limited
from migrator.core.clock import iso
from migrator.core.errors import HeldError, RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.auther.doctor.interface import Account
    from migrator.runner.context import Context

SUBJECT, CAPACITY = "auther", "capacity"
# A login storm after a step, a lost instance, a slow minute: half of the capacity is for those.
_USABLE_SHARE = 0.5


@dataclass(frozen=True)
class Measured:
    """What an Auther took.

    Attributes:
        at: ISO 8601 UTC.
        concurrency: At which the most sign-ins a second succeeded.
    """

    base_url: str
    at: str
    sign_ins_per_s: float
    concurrency: int
    median_s: float
    p95_s: float

    @property
    def usable_per_s(self) -> float:
        """Sign-ins a second that a step of the cutover may need at the peak."""
        return self.sign_ins_per_s * _USABLE_SHARE


@dataclass(frozen=True)
class Measurement:
    """A ramp and what follows from it."""

    steps: tuple[Step, ...]
    measured: Measured


def measure_capacity(ctx: Context, accounts: Sequence[Account], *, seconds: float) -> Measurement:
    """Load the configured Auther with sign-ins, and keep the best step's figure.

    Interrupted, the ledger holds an intent; run it again.

    Args:
        ctx: The surroundings.
        accounts: Canaries; more of them spread the load over more rows.
        seconds: For the whole ramp.

    Raises:
        UsageError: There is no base_url or no canary.
        HeldError: A limit ended the ramp: the figure would be the limit's, not Auther's.
        RefusedError: No sign-in succeeded.
    """
    base_url = ctx.config.auther.base_url
    if not base_url or not accounts:
        raise UsageError(
            "a capacity is measured at [auther] base_url with at least one canary",
            hint="set [auther.doctor] email and password, or give --canary",
        )
    load = Load(base_url, accounts, seconds)
    with ctx.state.ledger.recorded(SUBJECT, CAPACITY, base_url=base_url, seconds=seconds) as facts:
        with ctx.progress.task("loading Auther", total=len(load.ramp)) as task:
            steps = measure(load, advance=lambda _step: task.advance(1))
        facts["steps"] = [_facts(step) for step in steps]
        made = _judged(ctx, steps)
        facts["sign_ins_per_s"] = round(made.sign_ins_per_s, 2)
    ctx.state.checkpoints.put(SUBJECT, CAPACITY, made.__dict__)
    return Measurement(tuple(steps), made)


def last_measured(ctx: Context) -> Measured | None:
    """Give the last figure of the configured Auther, None when there is none."""
    kept: Any = ctx.state.checkpoints.get(SUBJECT, CAPACITY)
    measured = None if kept is None else Measured(**kept)
    if measured is None or measured.base_url != ctx.config.auther.base_url:
        return None
    return measured


def _judged(ctx: Context, steps: Sequence[Step]) -> Measured:
    top = best(steps)
    if was_limited(steps):
        raise HeldError(
            steps[-1].stopped,
            hint="measure an instance of Auther whose rateLimit is off, on the same machine size",
        )
    if top is None:
        raise RefusedError(
            f"no sign-in succeeded: {steps[-1].stopped or 'none came to its end in time'}",
            hint="migrator auther doctor",
        )
    return Measured(
        ctx.config.auther.base_url,
        iso(ctx.clock.now()),
        top.per_second,
        top.concurrency,
        top.median_s,
        top.p95_s,
    )


def _facts(step: Step) -> dict[str, Any]:
    return {
        "concurrency": step.concurrency,
        "sign_ins": step.sign_ins,
        "per_second": round(step.per_second, 2),
        "p95_s": round(step.p95_s, 3),
        "stopped": step.stopped,
    }
