"""`migrator import`: users with their passwords into Auther, proven, and out again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.cli.common import dry_run_option, json_option, pass_context
from migrator.cli.export_totp import export_totp
from migrator.cli.groups import Group
from migrator.cli.import_report import (
    as_data,
    show_outcome,
    show_proofs,
    show_reconciliation,
    show_undecided,
    show_withdrawal,
)
from migrator.cli.load_file import load, unload
from migrator.cli.output import emit
from migrator.cli.plugin import plugin
from migrator.cli.shadow import shadow
from migrator.cli.snapshot import snapshot
from migrator.cli.sync import sync
from migrator.cli.write_back import write_back
from migrator.core.errors import ExitCode
from migrator.core.redact import mask_email
from migrator.runner.importing.outcome import Outcome, summary

if TYPE_CHECKING:
    from migrator.runner.context import Context


@click.group(name="import", cls=Group)
def import_() -> None:
    """Bring users into Auther with their passwords, compare, prove, and take them out again."""


@import_.command()
@json_option
@pass_context
def plan(ctx: Context, as_json: bool) -> None:
    """Count what a run would do with every user. Reads both sides, writes nothing."""
    from phases import p1_import

    _emit_outcome(p1_import.plan(ctx), as_json)


@import_.command()
@click.option(
    "--accept-rejects",
    is_flag=True,
    help="Acknowledge exactly the rejects that the last finished run listed.",
)
@dry_run_option
@json_option
@pass_context
def run(ctx: Context, accept_rejects: bool, dry_run: bool, as_json: bool) -> ExitCode:
    """Import every user. Killed at any point, the same command finishes the work.

    Exit code 3: some users were rejected and nobody has accepted that yet.
    """
    from phases import p1_import

    if dry_run:
        _emit_outcome(p1_import.plan(ctx), as_json)
        return ExitCode.DONE
    outcome = p1_import.run(ctx, accept_rejects=accept_rejects)
    _emit_outcome(outcome, as_json)
    return ExitCode.DONE if outcome.accepted else ExitCode.HELD


@import_.command()
@dry_run_option
@json_option
@pass_context
def resolve(ctx: Context, dry_run: bool, as_json: bool) -> None:
    """Put each undecided reject into the resolution file, as comments for a person to fill in.

    Entries that a person wrote stay as they are. The next run obeys the file.
    """
    from phases import p1_import

    found = p1_import.resolve(ctx, write=not dry_run)
    data = {"resolutions_file": str(found.path), **found.for_the_ledger()}
    data["unmatched"] = list(found.unmatched)
    emit(as_json, data, lambda out: show_undecided(out, found, written=not dry_run))


def _emit_outcome(outcome: Outcome, as_json: bool) -> None:
    data = {**summary(outcome), "rejects_file": str(outcome.rejects_file)}
    emit(as_json, data, lambda out: show_outcome(out, outcome))


@import_.command()
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page about it as well; only its owner may read it.",
)
@json_option
@pass_context
def verify(ctx: Context, html: Path | None, as_json: bool) -> ExitCode:
    """Compare every field of every user and account on both sides, not a sample.

    Exit code 1: something differs. All of it is in the differences file.
    """
    from phases import p1_import

    result = p1_import.verify(ctx, html=html)
    file = ctx.config.import_.differences_file
    data = {**as_data(result), "differences_file": str(ctx.path(file))}
    emit(as_json, data, lambda out: show_reconciliation(out, result, file=file.name))
    return ExitCode.DONE if result.holds() else ExitCode.REFUSED


@import_.command()
@click.option(
    "--except-signed-in",
    is_flag=True,
    help="Leave users who used Auther since the import, and remove all others.",
)
@dry_run_option
@json_option
@pass_context
def rollback(ctx: Context, except_signed_in: bool, dry_run: bool, as_json: bool) -> None:
    """Remove from Auther exactly what the import wrote.

    Refuses, before anything is removed, when users have used Auther since.
    """
    from phases import p1_import

    if dry_run:
        done = p1_import.plan_rollback(ctx)
    else:
        done = p1_import.rollback(ctx, except_signed_in=except_signed_in)
    emit(as_json, done, lambda out: show_withdrawal(out, done, planned=dry_run))


@import_.command()
@click.argument("csv", type=click.Path(path_type=Path))
@click.option(
    "--email-column", default="email", show_default=True, help="The column with the addresses."
)
@click.option(
    "--password-column",
    default="password",
    show_default=True,
    help="The column with the passwords.",
)
@click.option("--show-emails", is_flag=True, help="Print addresses in full.")
@json_option
@pass_context
def prove(
    ctx: Context,
    csv: Path,
    email_column: str,
    password_column: str,
    show_emails: bool,
    as_json: bool,
) -> ExitCode:
    """Say whether known passwords would sign in, by checking them against what Auther holds.

    Exit code 1: at least one would not.
    """
    from phases import p1_import

    proofs = p1_import.prove(ctx, csv, email_column=email_column, password_column=password_column)
    said = [
        {
            "email": proof.email if show_emails else mask_email(proof.email),
            "answer": str(proof.answer),
            "detail": proof.detail,
        }
        for proof in proofs
    ]
    emit(as_json, said, lambda out: show_proofs(out, said))
    return ExitCode.DONE if all(p.signs_in for p in proofs) else ExitCode.REFUSED


import_.add_command(export_totp)
import_.add_command(load)
import_.add_command(plugin)
import_.add_command(shadow)
import_.add_command(snapshot)
import_.add_command(sync)
import_.add_command(unload)
import_.add_command(write_back)
