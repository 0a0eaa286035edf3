"""`migrator dual-path stage`: the switch that moves everybody's login."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from migrator.cli.common import Invocation, dry_run_option, json_option, pass_context
from migrator.cli.groups import Group
from migrator.cli.output import emit, print_json
from migrator.core.durations import format_duration
from migrator.core.errors import ExitCode
from migrator.core.stage import Stage
from migrator.runner.notifying.afterwards import deliver_soon

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from migrator.runner.context import Context
    from migrator.runner.switching.rollback import RolledBack
    from migrator.runner.switching.route import Leg
    from migrator.runner.switching.switch import Switched
    from phases.p2_dual_path import Planned, Shown

# How long a rollback waits for the state before it goes on without it.
STATE_WITHIN_S = 5.0


@click.group(cls=Group)
def stage() -> None:
    """Show and move the stage of the whole cutover."""


@stage.command("show")
@json_option
@pass_context
def show_(ctx: Context, as_json: bool) -> None:
    """Say which stage holds, who follows it, and what a rollback would restore."""
    from phases import p2_dual_path

    found = p2_dual_path.show(ctx)
    data = {
        "stage": found.at,
        "document": found.document,
        "rollback_restores": found.before,
        "faults": found.faults,
        "instances": found.fleet.living,
        "lagging": found.lagging,
    }
    emit(as_json, data, lambda console: _show_stage(console, found))
    if found.faults or (found.document and found.lagging):
        sys.exit(ExitCode.HELD)


@stage.command("set")
@click.argument("to", metavar="STAGE", type=click.Choice([str(one) for one in Stage]))
@click.option(
    "--percent",
    type=float,
    help="Share of browsers that sign in at Auther, 0 to 100; only in stage dual.",
)
@click.option(
    "--cohort",
    help="Groups of the application's own making that sign in at Auther, with commas between;"
    ' "" for none; as they are when not given.',
)
@dry_run_option
@json_option
@pass_context
def set_(
    ctx: Context,
    to: str,
    percent: float | None,
    cohort: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Move to STAGE (legacy, dual, drain, auther) and wait for every instance.

    One stage forward at a time, behind its gates; any number back. Buckets of browsers are
    sticky: raising --percent only ever adds browsers.
    """
    from phases import p2_dual_path

    groups = None if cohort is None else tuple(name for name in cohort.split(",") if name)
    if dry_run:
        planned = p2_dual_path.plan(ctx, Stage(to), percent=percent, cohorts=groups)
        _say_planned(planned, as_json=as_json)
        return
    done = p2_dual_path.run(ctx, Stage(to), percent=percent, cohorts=groups)
    emit(as_json, _switched(done), lambda console: _show_switched(console, done))
    if done.lagging:
        sys.exit(ExitCode.HELD)


@stage.command("plan")
@json_option
@pass_context
def plan_(ctx: Context, as_json: bool) -> None:
    """Show the steps ahead: what guards each, what Auther has to bear, what holds the next one."""
    from phases import p2_dual_path

    legs = p2_dual_path.route(ctx)
    data = [asdict(leg) | {"fits": leg.fits} for leg in legs]
    emit(as_json, data, lambda console: _show_route(console, legs))


@stage.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice(["flagd"]),
    default="flagd",
    show_default=True,
    help="Whose form of a flag definition.",
)
@pass_context
def export_(ctx: Context, form: str) -> None:  # noqa: ARG001 (there is one form so far)
    """Print the published stage as a flag definition, for other systems to follow."""
    from phases import p2_dual_path

    print_json(p2_dual_path.export(ctx))


@stage.command("rollback")
@click.option(
    "--stop-accepting",
    is_flag=True,
    help="After a compromise: go to legacy and refuse Auther's credentials at once.",
)
@dry_run_option
@json_option
@click.pass_obj
def rollback_(
    invocation: Invocation, /, *, stop_accepting: bool, dry_run: bool, as_json: bool
) -> None:
    """Restore the stage before, exactly; asks no gate, needs no database and no state."""
    from phases import p2_dual_path

    ctx = invocation.context_within(STATE_WITHIN_S)
    if dry_run:
        planned = p2_dual_path.plan_rollback(ctx, stop_accepting=stop_accepting)
        _say_planned(planned, as_json=as_json)
        return
    found = p2_dual_path.rollback(ctx, stop_accepting=stop_accepting)
    hurt = found.hurt
    data = _switched(found.done) | {"moved_users": hurt.moved_users, "hurt": hurt.lines()}
    emit(as_json, data, lambda console: _show_rollback(console, found))
    deliver_soon(ctx)
    if found.done.lagging:
        sys.exit(ExitCode.HELD)


def _show_route(console: Console, legs: tuple[Leg, ...]) -> None:
    if not legs:
        _say(console, "stage auther: there is no step ahead; next: migrator status")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("step", "sign-ins/s at the peak", "gates"):
        table.add_column(column)
    for leg in legs:
        gates = ", ".join(f"{gate.gate} {gate.state}" for gate in leg.gates)
        table.add_row(escape(str(leg.to)), _load(leg), escape(gates) or "-")
    console.print(table)
    _list(console, f"{legs[0].to} is held now", legs[0].held)
    _say(console, f"next: {legs[0].command}")


def _load(leg: Leg) -> str:
    if leg.sign_ins_per_s is None:
        return "peak not configured"
    usable = "nothing measured" if leg.usable_per_s is None else f"{leg.usable_per_s:.2f} usable"
    too_much = ", TOO MUCH" if leg.fits is False else ""
    return f"{leg.sign_ins_per_s:.2f} of {usable}{too_much}"


def _switched(done: Switched) -> dict[str, Any]:
    return {"document": done.document, "before": done.before, "lagging": done.lagging}


def _say_planned(planned: Planned, *, as_json: bool) -> None:
    def people(console: Console) -> None:
        _say(console, f"would move the stage from {planned.before} to {planned.after}")
        _list(console, "held now", planned.held)
        for line in planned.hurt:
            _say(console, line)

    emit(as_json, planned, people)


def _show_stage(console: Console, found: Shown) -> None:
    document = found.document
    head = f"stage {found.at}, epoch {document.epoch}" if document else "no stage published yet"
    console.print(escape(head), style="bold")
    if document:
        _say(
            console, f"published {document.issued_at[:19]}Z, ledger entry {document.ledger_length}"
        )
        if document.legacy_accept_until:
            _say(console, f"legacy sessions are accepted until {document.legacy_accept_until}")
    _say(console, f"a rollback restores: {found.before}")
    _list(console, "WRONG", found.faults)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("instance", "build", "baked", "stage", "epoch", "from", "seen"):
        table.add_column(column)
    for beat in found.fleet.living:
        seen = f"{format_duration(beat.age)} ago"
        table.add_row(
            beat.instance, beat.build, beat.baked, beat.stage, str(beat.epoch), beat.source, seen
        )
    console.print(table)
    _list(console, "does not follow", found.lagging)


def _show_switched(console: Console, done: Switched) -> None:
    from migrator.runner import stages

    now = done.document
    _say(console, f"stage {stages.position(now)}, epoch {now.epoch} (before: {done.before})")
    if not done.lagging:
        _say(console, "every expected instance follows")
        return
    _list(console, "unknown, or not there yet", done.lagging)
    _say(console, "the document is out; look again with: migrator dual-path stage show")


def _show_rollback(console: Console, found: RolledBack) -> None:
    _say(console, found.hurt.lines()[0])
    _show_switched(console, found.done)


def _say(console: Console, line: str) -> None:
    console.print(escape(line), soft_wrap=True)


def _list(console: Console, title: str, lines: Iterable[str]) -> None:
    lines = tuple(lines)
    if lines:
        _say(console, f"{title}:")
    for line in lines:
        _say(console, f"  {line}")
