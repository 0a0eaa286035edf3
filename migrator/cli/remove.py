"""`migrator remove`: the legacy tables and columns go step by step, and come back on demand."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from migrator.cli.common import dry_run_option, json_option, pass_context
from migrator.cli.groups import Group
from migrator.cli.output import emit
from migrator.cli.remove_archive import drill, erase, identity_option, keygen, receipt_, restore_
from migrator.core.errors import ExitCode
from migrator.sqlgen.steps import SCREAM_WINDOW
from migrator.sqlgen.wrap.registry import WRAPPERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from migrator.config.secrets import SecretRef
    from migrator.legacy.guard import Archived, Orphans, Scream
    from migrator.runner.context import Context
    from migrator.runner.removing.permits import Permit
    from migrator.sqlgen.planfile import PlanFile
    from phases.p4_remove import Moved, Status

to_option = click.option(
    "--to", metavar="STEP", help="A step's name or number, e.g. 05_quarantine_tables or 05."
)

reason_option = click.option(
    "--reason", default="", help="Why, for the two who approve a step that cannot be undone."
)
confirm_option = click.option(
    "--confirm",
    default="",
    metavar="PLAN_ID",
    help="The plan's id, typed: where migrator.toml names no approvers.",
)


@click.group(cls=Group)
def remove() -> None:
    """Remove the legacy auth tables and columns, and bring them back."""


for command in (keygen, drill, restore_, erase, receipt_):
    remove.add_command(command)


@remove.command("plan")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the SQL and plan.json  [default: remove.plan_dir of the configuration]",
)
@click.option(
    "--wrap",
    type=click.Choice(sorted(WRAPPERS)),
    multiple=True,
    help="Also write the same steps as migrations of this tool; may be repeated.",
)
@click.option(
    "--app",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The application's folder, to read what of its code goes.",
)
@click.option(
    "--preserve-order",
    is_flag=True,
    help="Also write a way back of the purge of columns that puts them in their old places.",
)
@json_option
@pass_context
def plan_(
    ctx: Context,
    /,
    *,
    out: Path | None,
    wrap: tuple[str, ...],
    app: Path | None,
    preserve_order: bool,
    as_json: bool,
) -> None:
    """Read the catalog and write deploy, revert and verify SQL, and the order for the code."""
    from phases import p4_remove

    made = p4_remove.plan(
        ctx, out.resolve() if out else None, wrap=wrap, app=app, preserve_order=preserve_order
    )
    emit(as_json, _summary(made), lambda console: _show_plan(console, made))


@remove.command("apply")
@to_option
@reason_option
@confirm_option
@dry_run_option
@json_option
@pass_context
def apply_(
    ctx: Context,
    /,
    *,
    to: str | None,
    reason: str,
    confirm: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Apply the plan's steps behind their gates, up to STEP or all."""
    from migrator.runner.removing.consent import Consent
    from phases import p4_remove

    if dry_run:
        _show_steps("would apply", p4_remove.pending(ctx, to), as_json=as_json)
        return
    moved = p4_remove.run(ctx, to, Consent(reason, confirm))
    emit(as_json, asdict(moved), lambda console: _show_moved(console, "applied", moved))


@remove.command()
@click.argument("step")
@reason_option
@confirm_option
@json_option
@pass_context
def permit(ctx: Context, step: str, reason: str, confirm: str, as_json: bool) -> None:
    """Let STEP's SQL run by other means: psql, or the migrations of `remove plan --wrap`.

    Asks what `remove apply` asks and writes the evidence where the SQL looks for it.
    """
    from migrator.runner.removing.consent import Consent
    from phases import p4_remove

    given = p4_remove.permit(ctx, step, Consent(reason, confirm))
    emit(as_json, asdict(given), lambda console: _show_permit(console, given))


@remove.command()
@to_option
@identity_option
@click.option(
    "--preserve-order",
    is_flag=True,
    help="Dropped columns come back in their old places: nobody can use their table while it is written anew.",
)
@dry_run_option
@json_option
@pass_context
def revert(
    ctx: Context,
    /,
    *,
    to: str | None,
    identity: SecretRef | None,
    preserve_order: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take back every step after STEP, or all; asks no gate."""
    from phases import p4_remove

    if dry_run:
        _show_steps("would revert", p4_remove.revertible(ctx, to), as_json=as_json)
        return
    moved = p4_remove.rollback(ctx, to, identity=identity, preserve_order=preserve_order)
    emit(as_json, asdict(moved), lambda console: _show_moved(console, "reverted", moved))
    if moved.differences or moved.orphans:
        sys.exit(ExitCode.REFUSED)


@remove.command()
@json_option
@pass_context
def verify(ctx: Context, as_json: bool) -> None:
    """Check in the database that every applied step holds, archives included."""
    from phases import p4_remove

    _show_steps("verified", p4_remove.verify(ctx), as_json=as_json)


@remove.command()
@json_option
@pass_context
def status(ctx: Context, as_json: bool) -> None:
    """Say how far the removal is, by the database itself."""
    from phases import p4_remove

    found = p4_remove.status(ctx)
    emit(as_json, asdict(found), lambda console: _show_status(console, found))


def _summary(made: PlanFile) -> dict[str, Any]:
    return {
        key: getattr(made, key)
        for key in (
            "plan_id",
            "plan_hash",
            "database",
            "steps",
            "tables",
            "columns",
            "exceptions",
            "exceptions_in_order",
            "notes",
            "unproven",
            "survey",
        )
    }


def _show_plan(console: Console, made: PlanFile) -> None:
    _say(console, f"plan {made.plan_id} for database {made.database}")
    _say(console, f"tables to drop: {', '.join(made.tables) or 'none'}")
    _say(console, f"columns of {made.users} to drop: {', '.join(made.columns) or 'none'}")
    _list(console, "there is", made.survey)
    _say(console, f"steps: {', '.join(made.steps)}")
    _list(console, "a revert after a drop does not bring back", made.exceptions)
    _list(console, "look at", made.notes)
    first = next(step for step in made.steps if step >= SCREAM_WINDOW)
    _say(console, f"next: read the SQL, then: migrator remove apply --to {first[:2]}")


def _show_permit(console: Console, given: Permit) -> None:
    minutes = given.seconds / 60
    _say(
        console,
        f"{given.step} may begin within {minutes:.0f} min (evidence {given.evidence_hash[:12]})",
    )
    _say(console, "afterwards: migrator remove status")


def _show_moved(console: Console, word: str, moved: Moved) -> None:
    _list(console, word, moved.steps or ("nothing: every step is there already",))
    _list(console, "not as it was", moved.exceptions)
    _list(console, "DIFFERS from the catalog of the plan", moved.differences)
    _show_orphans(console, moved.orphans)


def _show_status(console: Console, found: Status) -> None:
    _say(console, f"plan {found.plan_id}")
    _list(console, "steps", (f"{name}: {state}" for name, state in found.steps.items()))
    _list(
        console,
        "archived",
        (_archived(archive) for archive in found.archives),
    )
    _show_orphans(console, found.orphans)
    if found.scream:
        _list(console, "scream window", _heard(found.scream))
        _list(console, "refused", (f"{who}, {n} times" for who, n in found.refused.items()))
    if found.lease and found.lease["live"]:
        _say(console, f"{found.lease['holder']} is at work until {found.lease['expires_at']}")
    if "reverting" in found.steps.values():
        _say(console, "next: migrator remove revert, with --to as before")
    elif "applying" in found.steps.values():
        _say(console, "next: migrator remove apply goes on, migrator remove revert takes back")


def _show_orphans(console: Console, orphans: Sequence[Orphans]) -> None:
    _list(
        console,
        "foreign keys left NOT VALID",
        (
            f"{o.constraint_name} on {o.table_name}: {o.rows} rows point to what is not there: {', '.join(o.some_keys)}"
            for o in orphans
        ),
    )
    if orphans:
        _say(
            console,
            "next: mend or delete those rows; then, on PostgreSQL: ALTER TABLE … VALIDATE CONSTRAINT …",
        )


def _heard(scream: Scream) -> list[str]:
    said = f"open since {scream.opened_at:%Y-%m-%d %H:%M} {scream.opened_at.tzname()}"
    if scream.unproven:
        return [said, f"UNPROVEN: {scream.unproven}"]
    if scream.looked_at is None:
        return [said, "nobody has looked yet"]
    counted = "found" if scream.control_counted else "NOT found"
    return [
        f"{said}, looked {scream.looked_at:%Y-%m-%d %H:%M}",
        f"{scream.refusals} refused statements; the planted one was {counted}",
    ]


def _archived(archive: Archived) -> str:
    proven = "restored and compared" if archive.drilled_at else "not proven"
    return f"{archive.name}: {archive.rows} rows, sha256 {archive.sha256[:12]}, {proven}"


def _show_steps(word: str, steps: tuple[str, ...], *, as_json: bool) -> None:
    emit(
        as_json,
        {"steps": steps},
        lambda console: _list(console, word, steps or ("nothing",)),
    )


def _list(console: Console, title: str, lines: Iterable[str]) -> None:
    for place, line in enumerate(lines):
        if not place:
            _say(console, f"{title}:")
        _say(console, f"  {line}")


def _say(console: Console, line: str) -> None:
    console.print(escape(line), soft_wrap=True)
