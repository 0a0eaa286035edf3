"""`migrator import shadow`: what the shadow check of live legacy logins has proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migrator.cli.common import json_option, pass_context
from migrator.cli.output import emit
from migrator.core.clock import iso
from migrator.core.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.runner.context import Context
    from migrator.runner.importing.shadow import ShadowProof

# 0 mismatches among 3,000 users.
GOOD_PERCENT = 0.1


@click.command()
@click.option(
    "--at-most",
    "percent",
    type=click.FloatRange(0, 100, min_open=True, max_open=True),
    default=GOOD_PERCENT,
    show_default=True,
    help="The share of users, in percent, that Auther may refuse at most.",
)
@json_option
@pass_context
def shadow(ctx: Context, percent: float, as_json: bool) -> ExitCode:
    """Say how sure it is that live legacy passwords sign in at Auther too.

    The shims check passwords that the legacy form has just accepted, once MIGRATOR_VERIFY_SECRET is set.
    Exit code 1: Auther refused somebody. 3: too few users were seen to tell.
    """
    from migrator.runner.importing.shadow import shadow_proof

    proof = shadow_proof(ctx, at_most=percent / 100)
    emit(as_json, _as_data(proof), lambda out: _show(out, proof))
    if proof.checks.mismatched:
        return ExitCode.REFUSED
    return ExitCode.DONE if proof.holds else ExitCode.HELD


def _as_data(proof: ShadowProof) -> dict[str, object]:
    return {
        "holds": proof.holds,
        "users": proof.checks.users,
        "mismatched": proof.checks.mismatched,
        "checks": proof.checks.checks,
        "newest": proof.checks.newest,
        "refused_at_most": proof.bound,
        "confidence": 0.95,
        "wanted_at_most": proof.at_most,
        "users_missing": proof.users_missing,
        "shown": [mismatch._asdict() for mismatch in proof.checks.shown],
    }


def _show(out: Console, proof: ShadowProof) -> None:
    checks = proof.checks
    newest = f", the last at {iso(checks.newest)}" if checks.newest else ""
    out.print(
        f"{checks.users:,} users seen at the legacy form in {checks.checks:,} checks{newest}"
    )
    out.print(f"refused by Auther: {checks.mismatched:,}")
    for mismatch in checks.shown:
        why = mismatch.reason or "wrong password"
        out.print(f"  user {mismatch.pk}: {why}, {iso(mismatch.seen_at)}", markup=False)
    out.print(f"of all users at most {_percent(proof.bound)} would be refused (95 % confidence)")
    out.print(_verdict(proof))


def _verdict(proof: ShadowProof) -> str:
    if proof.checks.mismatched:
        return (
            "look at one of them: migrator user show EMAIL; many at once: a pepper is missing"
            " or wrong in Auther's environment"
        )
    if proof.holds:
        return "live passwords sign in at Auther"
    more = f"{proof.users_missing:,} more users without a mismatch"
    return f"held: {more} would prove {_percent(proof.at_most)}"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
