"""Measures the configured Auther's capacity and keeps the figure for the steps of the cutover."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from migrator.auther.live.capacity import (
    Attempt,
    Load,
    Step,
    best,
    measure,
    signing_in,
    verifying,
    was_limited,
)
from migrator.auther.live.doctor.asking import Asker
from migrator.auther.live.doctor.interface import NoAnswerError
from migrator.auther.live.doctor.visit import Visit
from migrator.core.clock import iso
from migrator.core.errors import HeldError, RefusedError, UsageError
from migrator.runner.standing_up.doctoring import is_private, make_setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.auther.live.doctor.interface import Account
    from migrator.runner.context import Context

SUBJECT, CAPACITY = "auther", "capacity"
Through = Literal["sign-in", "verify"]
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


def measure_capacity(
    ctx: Context, accounts: Sequence[Account], *, seconds: float, through: Through = "sign-in"
) -> Measurement:
    """Load the configured Auther with sign-ins, and keep the best step's figure.

    Interrupted, the ledger holds an intent; run it again.

    Args:
        ctx: The surroundings.
        accounts: Canaries; more of them spread the load over more rows.
        seconds: For the whole ramp.
        through: `sign-in`, or `verify` for the plugin's endpoint, which has no limits and makes no
            sessions; the first canary only, who has to be an imported user.

    Raises:
        UsageError: There is no base_url or no canary, or no secret for `verify`.
        HeldError: A limit ended the ramp: the figure would be the limit's, not Auther's.
        RefusedError: No sign-in succeeded.
    """
    base_url = ctx.config.auther.base_url
    if not base_url:
        raise UsageError("[auther] base_url is not set", hint="set it to Auther's public address")
    if not accounts:
        raise UsageError(
            "a capacity is measured with at least one canary",
            hint="set [auther.doctor] email and password, or give --canary",
        )
    if not is_private(base_url):
        raise UsageError(
            "no password is sent over plain http", hint="set [auther] base_url to an https address"
        )
    attempt, accounts = _attempt(ctx, accounts, through)
    load = Load(base_url, accounts, seconds, attempt)
    with ctx.state.ledger.recorded(
        SUBJECT, CAPACITY, base_url=base_url, seconds=seconds, through=through
    ) as facts:
        with ctx.progress.task("loading Auther", total=len(load.ramp)) as task:
            steps = measure(load, advance=lambda _step: task.advance(1))
        facts["steps"] = [_facts(step) for step in steps]
        made = _judged(ctx, steps)
        facts["sign_ins_per_s"] = round(made.sign_ins_per_s, 2)
    ctx.state.checkpoints.put(SUBJECT, CAPACITY, made.__dict__)
    return Measurement(tuple(steps), made)


def _attempt(
    ctx: Context, accounts: Sequence[Account], through: Through
) -> tuple[Attempt, Sequence[Account]]:
    api = ctx.config.auther.api
    if through == "sign-in":
        return signing_in(api), accounts
    secret, first = ctx.reveal(ctx.config.plugin.verify_secret), accounts[0]
    return verifying(api, secret=secret, ids={first.email: _id_of(ctx, first)}), [first]


def _id_of(ctx: Context, account: Account) -> str:
    """Sign in once to learn the user's id.

    Raises:
        RefusedError: That did not work.
    """
    setting = replace(make_setting(ctx), canary=account)
    with closing(Asker(setting.base_url)) as asker:
        visit = Visit(setting, asker, ctx.clock)
        try:
            visit.session()
            user = visit.first_sign_in().json["user"]
            visit.leave()
            return str(user["id"])
        except (NoAnswerError, KeyError, TypeError) as error:
            raise RefusedError(f"{error}", hint="migrator auther doctor") from error


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
            hint="migrator auther capacity --through verify, or an instance whose rateLimit is off",
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
