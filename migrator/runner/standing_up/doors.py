"""What must stand at Auther before anybody is sent there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from migrator.auther.live.doctor.interface import State
from migrator.auther.live.doctor.registry import DOORS, what
from migrator.core.clock import parse_iso
from migrator.core.errors import HeldError, RefusedError
from migrator.runner.standing_up.capacity import Measured, last_measured
from migrator.runner.standing_up.doctoring import DOCTOR, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.config.model import AutherSection
    from migrator.runner.context import Context

VALID_FOR = timedelta(hours=24)
_DOCTOR_COMMAND = "migrator auther doctor"
_CAPACITY_COMMAND = "migrator auther capacity"


def check_doors(ctx: Context) -> None:
    """Make sure that people without a password, or without an account, have somewhere to go at Auther.

    What the configuration says the application provides needs no visit; for the rest the last visit
    of the doctor to this Auther counts for 24 hours.

    Raises:
        RefusedError: Something is missing there.
        HeldError: Nobody has looked lately, or it could not be found out.
    """
    states = _last_states(ctx)
    provided = _provided(ctx.config.auther, states or {})
    asked = [code for code in DOORS if code not in provided]
    if states is None:
        if asked:
            raise HeldError(
                f"nobody has looked at Auther within {VALID_FOR.total_seconds() / 3600:.0f} h:"
                f" {_said(asked)}",
                hint=_DOCTOR_COMMAND,
            )
        return
    _judge(asked, states)


def check_capacity(ctx: Context, share: float) -> None:
    """Make sure that Auther can take the sign-ins that a step sends there.

    Args:
        ctx: The surroundings.
        share: Of all sign-ins, 0 to 1, that go to Auther after the step.

    Raises:
        RefusedError: They would need more than half of what was measured.
        HeldError: The peak is configured and nothing was measured at this Auther.
    """
    peak = ctx.config.auther.peak_sign_ins_per_s
    if peak is None:
        return
    measured = last_measured(ctx)
    if measured is None:
        raise HeldError(
            "nobody has measured how many sign-ins a second this Auther takes",
            hint=_CAPACITY_COMMAND,
        )
    _fits(peak * share, measured)


def _fits(needed: float, measured: Measured) -> None:
    usable = measured.usable_per_s
    if needed > usable:
        raise RefusedError(
            f"this step needs {needed:.2f} sign-ins/s at the peak, half of what was measured is"
            f" {usable:.2f}",
            hint=f"a smaller --percent, or a faster Auther and {_CAPACITY_COMMAND}",
        )


def _judge(asked: list[str], states: Mapping[str, str]) -> None:
    found = {code: states.get(code, State.UNKNOWN) for code in asked}
    if missing := [code for code, state in found.items() if state == State.MISSING]:
        raise RefusedError(f"Auther is not ready: {_said(missing)}", hint=_DOCTOR_COMMAND)
    if unknown := [code for code, state in found.items() if state == State.UNKNOWN]:
        raise HeldError(f"not known of Auther: {_said(unknown)}", hint=_DOCTOR_COMMAND)


def _last_states(ctx: Context) -> dict[str, str] | None:
    """Give what the last visit found, None when it is too old or was to another Auther."""
    last = ctx.state.ledger.latest(SUBJECT, DOCTOR, kind="outcome")
    if last is None or last.body.get("base_url") != ctx.config.auther.base_url:
        return None
    if ctx.clock.now() - parse_iso(last.at) > VALID_FOR:
        return None
    states: Any = last.body.get("states")
    return dict(states) if isinstance(states, dict) else None


def _provided(auther: AutherSection, states: Mapping[str, str]) -> set[str]:
    """Name what the configuration answers for; what the last visit saw beats the operator's word."""
    words = {
        "sign_up": bool(auther.sign_up_url),
        "forgot_password": bool(auther.forgot_password_url),
        "no_linking": auther.links_accounts is False,
    }
    return {code for code, said in words.items() if said and states.get(code) != State.MISSING}


def _said(codes: list[str]) -> str:
    return ", ".join(what(code) for code in codes)
