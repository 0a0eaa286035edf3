"""`migrator auther`: a running Auther before the cutover."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.cli.auther_report import diagnosis_data, show_diagnosis
from migrator.cli.common import json_option, pass_context
from migrator.cli.output import emit
from migrator.core.errors import ExitCode
from migrator.runner.canaries import read_canaries
from migrator.runner.standing_up import doctoring

if TYPE_CHECKING:
    from migrator.runner.context import Context

canary_option = click.option(
    "--canary",
    "canaries",
    type=click.Path(path_type=Path),
    help="CSV (email,password; mode 0600) of accounts at Auther; else [auther.doctor].",
)


@click.group()
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
    first = read_canaries(canaries)[0] if canaries else None
    made = doctoring.diagnose(ctx, canary=first, with_sign_up=with_sign_up)
    emit(as_json, diagnosis_data(made), lambda out: show_diagnosis(out, made))
    if made.exit_code is not ExitCode.DONE:
        sys.exit(made.exit_code)
