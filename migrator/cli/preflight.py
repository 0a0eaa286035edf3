"""`migrator preflight`: looks at both sides and says whether the migration can begin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.cli.common import dry_run_option, json_option, pass_context
from migrator.cli.output import emit
from migrator.cli.preflight_report import as_data, show_plan, show_report
from migrator.core.errors import ExitCode
from migrator.runner.canaries import read_canaries

if TYPE_CHECKING:
    from migrator.runner.context import Context


@click.command()
@click.option(
    "--canaries",
    type=click.Path(path_type=Path),
    help="CSV (email,password; mode 0600) of known passwords, to prove the peppers with.",
)
@click.option(
    "--app",
    type=click.Path(path_type=Path, file_okay=False),
    help="The application's folder (Rails): its code is read, not run.",
)
@click.option("--show-emails", is_flag=True, help="Print the examples' addresses in full.")
@dry_run_option
@json_option
@pass_context
def preflight(
    ctx: Context,
    canaries: Path | None,
    app: Path | None,
    show_emails: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Look at the legacy database, Auther and the application's code, and give a verdict.

    Changes none of them.

    Exit code 0: ready. 1: not ready, the blockers say why. 4: a database could not be reached.
    """
    from phases import p0_preflight

    known = read_canaries(canaries) if canaries else ()
    if dry_run:
        planned = p0_preflight.plan(ctx, app=app)
        emit(as_json, planned, lambda out: show_plan(out, planned))
        return
    report = p0_preflight.run(ctx, canaries=known, app=app)
    data = as_data(report, show_emails=show_emails)
    emit(as_json, data, lambda out: show_report(out, report, show_emails=show_emails))
    if not report.verdict.ready:
        click.get_current_context().exit(ExitCode.REFUSED)
