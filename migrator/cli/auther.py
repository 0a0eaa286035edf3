"""`migrator auther`: a running Auther before the cutover."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.auther.live.doctor.interface import Account
from migrator.cli.auther_report import (
    client_data,
    diagnosis_data,
    measurement_data,
    show_client,
    show_diagnosis,
    show_measurement,
)
from migrator.cli.common import dry_run_option, json_option, pass_context
from migrator.cli.groups import Group
from migrator.cli.output import emit
from migrator.core.errors import ExitCode
from migrator.runner.canaries import read_canaries

if TYPE_CHECKING:
    from migrator.runner.canaries import Canary
    from migrator.runner.context import Context
    from migrator.runner.standing_up.capacity import Through

canary_option = click.option(
    "--canary",
    "canaries",
    type=click.Path(path_type=Path),
    help="CSV (email,password; mode 0600) of accounts at Auther; else [auther.doctor].",
)


@click.group(cls=Group)
def auther() -> None:
    """Find out what a running Auther can do, and make it ready for the application."""


@auther.command()
@canary_option
@click.option(
    "--with-sign-up",
    is_flag=True,
    help="Really register a test user at Auther, and remove it again where that is possible.",
)
@json_option
@pass_context
def doctor(ctx: Context, canaries: Path | None, with_sign_up: bool, as_json: bool) -> None:
    """Ask a live Auther everything in which Authers differ, and say who provides what is missing.

    Exit code 0: ready. 1: something makes the cutover impossible. 3: something that it depends on is
    not known. The answers count for 24 hours in `migrator dual-path stage set`.
    """
    from migrator.runner.standing_up import doctoring

    made = doctoring.diagnose(ctx, canary=_first(canaries), with_sign_up=with_sign_up)
    emit(as_json, diagnosis_data(made), lambda out: show_diagnosis(out, made))
    if made.exit_code is not ExitCode.DONE:
        sys.exit(made.exit_code)


@auther.group()
def client() -> None:
    """The application's OAuth client at Auther."""


@client.command()
@canary_option
@dry_run_option
@json_option
@pass_context
def ensure(ctx: Context, canaries: Path | None, dry_run: bool, as_json: bool) -> None:
    """Create or repair the client's row, show what changed, and see whether people get through.

    Exit code 1: people would not get through; the last lines say what to do in Auther itself.
    3: that is not known, for want of a canary or of a running Auther.
    """
    from migrator.runner.standing_up import clients

    made = (
        clients.plan_client(ctx)
        if dry_run
        else clients.ensure_client(ctx, canary=_first(canaries))
    )
    emit(as_json, client_data(made), lambda out: show_client(out, made, dry_run=dry_run))
    if not dry_run and made.exit_code is not ExitCode.DONE:
        sys.exit(made.exit_code)


@client.command()
@click.option(
    "--remove", is_flag=True, help="Take them back, but for what people said themselves."
)
@json_option
@pass_context
def consents(ctx: Context, remove: bool, as_json: bool) -> None:
    """Write a consent for every imported user, where Auther cannot be told to trust the client.

    Users who register later are not helped by that: prefer the entry that `ensure` prints.
    """
    from migrator.runner.standing_up import clients

    rows = clients.write_consents(ctx, remove=remove)
    did = "removed" if remove else "written"
    emit(as_json, {did: rows}, lambda out: out.print(f"{rows:,} consents {did}"))


@auther.command()
@canary_option
@click.option(
    "--seconds",
    type=click.FloatRange(min=1, max=300),
    default=30.0,
    show_default=True,
    help="For the whole ramp of 1, 2, 4, 8 and 16 sign-ins at the same time.",
)
@click.option(
    "--through",
    type=click.Choice(["sign-in", "verify"]),
    default="sign-in",
    show_default=True,
    help="verify: the plugin's endpoint, which has no limits and makes no sessions.",
)
@json_option
@pass_context
def capacity(
    ctx: Context, canaries: Path | None, seconds: float, through: Through, as_json: bool
) -> None:
    """Load Auther with sign-ins of canaries, and keep how many a second it takes.

    Stops at the first error, limit or answer of over 5 s. Exit code 3: a limit ended it.
    """
    from migrator.runner.standing_up import capacity as measuring
    from migrator.runner.standing_up import doctoring

    own = doctoring.configured_canary(ctx)
    named = read_canaries(canaries) if canaries else ()
    accounts = [Account(one.email, one.password) for one in named] or ([own] if own else [])
    made = measuring.measure_capacity(ctx, accounts, seconds=seconds, through=through)
    emit(as_json, measurement_data(made), lambda out: show_measurement(out, made))


def _first(canaries: Path | None) -> Canary | None:
    return read_canaries(canaries)[0] if canaries else None
