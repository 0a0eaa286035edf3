"""`migrator gate`: whether the next step is safe."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from migrator.cli.common import json_option, pass_context
from migrator.cli.drain import before_option
from migrator.cli.duration import DURATION
from migrator.cli.gate_serve import serve
from migrator.cli.groups import Group
from migrator.cli.looks import looks
from migrator.cli.output import emit, json_line
from migrator.cli.sections import lines
from migrator.core.clock import iso
from migrator.core.errors import ExitCode
from migrator.dashboards.drain_view import verdict_lines
from migrator.dashboards.gate_view import draw
from migrator.gates.verdict import GateState, decide
from migrator.runner.notifying.afterwards import deliver_soon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from migrator.dashboards.drain_picture import GateRow
    from migrator.gates.verdict import Verdict
    from migrator.runner.context import Context
    from migrator.runner.gating.acknowledging import Acknowledged
    from migrator.runner.gating.silence import SilentStore
    from phases.p3_drain import DrainPlan

FINAL = frozenset({GateState.PASSED, GateState.OVERRIDDEN, GateState.FAILED})
# Countdowns move even where samples are taken rarely.
REDRAWN_EVERY = timedelta(seconds=5)


@click.group(cls=Group)
def gate() -> None:
    """Ask whether the next step is safe."""


@gate.command("list")
@before_option
@json_option
@pass_context
def list_(ctx: Context, step: str | None, as_json: bool) -> None:
    """Show all gates and where they stand; measures nothing and writes nothing."""
    from migrator.runner.gating.picture import gate_row
    from phases import p3_drain

    planned = p3_drain.plan(ctx, step=step) if step else p3_drain.plan_all(ctx)
    rows = [gate_row(v) for v in p3_drain.shown(ctx, planned)]
    people = verdict_lines(rows) or ["no gate is configured, which holds every step"]
    emit(as_json, {"gates": rows}, lambda out: _print(out, people))


@gate.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@before_option
@click.option("--wait", is_flag=True, help="Go on sampling until all passed or one failed.")
@click.option("--for", "duration", type=DURATION, help="With --wait: give up after this time.")
@json_option
@pass_context
def check(
    ctx: Context,
    names: tuple[str, ...],
    step: str | None,
    wait: bool,
    duration: timedelta | None,
    as_json: bool,
) -> ExitCode:
    """Take a sample now, judge, and write the verdict to the ledger.

    Exit code: 0 all passed, 1 one failed, 3 anything else.
    """
    from migrator.runner.gating.picture import gate_row
    from phases import p3_drain

    planned = p3_drain.plan(ctx, step=step, names=names)
    verdicts: tuple[Verdict, ...] = ()
    pace = min((spec.interval for spec in planned.gates), default=ctx.config.drain.interval)
    count = None if wait and planned.gates else 1
    try:
        for _ in looks(ctx.clock, interval=pace, count=count, duration=duration):
            verdicts = p3_drain.run(ctx, planned, only_due=bool(verdicts))
            if decide([verdict.state for verdict in verdicts]) in FINAL:
                break
            if wait:
                ctx.progress.say(_progress_line(verdicts))
    except KeyboardInterrupt:
        sys.stderr.write("stopped before the gates were decided; samples are kept\n")
    decision = p3_drain.settle(ctx, verdicts)
    rows = [gate_row(verdict) for verdict in verdicts]
    emit(
        as_json,
        {"decision": decision, "step": planned.step, "gates": rows},
        lambda out: _print(out, _conclusion(planned.step, decision, rows)),
    )
    return decision.exit_code


@gate.command()
@click.argument("name")
@json_option
@pass_context
def explain(ctx: Context, name: str, as_json: bool) -> None:
    """Say in words what a gate measures, what is missing, since when, and what to do."""
    from phases import p3_drain

    found = p3_drain.explained(ctx, name)
    emit(as_json, dict(found), lambda out: lines(out, dict(found)))


@gate.command()
@before_option
@click.option("--for", "duration", type=DURATION, help="Give up after this time.")
@json_option
@pass_context
def watch(ctx: Context, step: str | None, duration: timedelta | None, as_json: bool) -> ExitCode:
    """Look until the gates are decided, and show each change as it comes.

    While another watch takes the samples this one shows them; it goes on with them when the other one ends.
    Ends by itself with 0 when all passed and 1 when one failed; Ctrl-C, or the time given, ends it with 3.
    With --json a line for each change.
    """
    from migrator.runner.gating.picture import gate_row
    from phases import p3_drain

    planned = p3_drain.plan(ctx, step=step)
    pace = min((spec.interval for spec in planned.gates), default=ctx.config.drain.interval)
    decision = GateState.HELD
    try:
        with _changes(planned.step, as_json) as show, p3_drain.watch_or_follow(ctx) as acts:
            count = None if planned.gates else 1
            for at in looks(
                ctx.clock, interval=min(pace, REDRAWN_EVERY), count=count, duration=duration
            ):
                verdicts = _seen(ctx, planned, acts=acts())
                decision = decide([verdict.state for verdict in verdicts])
                show([gate_row(verdict) for verdict in verdicts], decision, at)
                deliver_soon(ctx)
                if decision in FINAL:
                    break
    except KeyboardInterrupt:
        sys.stderr.write("stopped before the gates were decided; samples are kept\n")
        return ExitCode.HELD
    return decision.exit_code


def _seen(ctx: Context, planned: DrainPlan, *, acts: bool) -> tuple[Verdict, ...]:
    from phases import p3_drain

    return p3_drain.observe(ctx, planned) if acts else p3_drain.shown(ctx, planned)


@gate.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why; for the approvers and the ledger.")
@click.option(
    "--confirm",
    "confirmation",
    default="",
    help="The gate's name once more; counts only where no approvers are configured.",
)
@json_option
@pass_context
def override(ctx: Context, name: str, reason: str, confirmation: str, as_json: bool) -> None:
    """Let one step begin although a gate holds it: once, within the hour, signed by two people.

    Only a bound or a span can be overridden. That something was measured at all cannot.
    """
    from phases import p3_drain

    given = p3_drain.override(ctx, name, reason=reason, confirmation=confirmation)
    emit(
        as_json,
        {"gate": name, **asdict(given)},
        lambda out: out.print(
            f"{name}: OVERRIDDEN until {iso(given.until)}, for one step; {given.words}",
            markup=False,
        ),
    )


@gate.command()
@click.option(
    "--hash", "list_hash", help="Of the list that was shown: acknowledges exactly that one."
)
@click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many of them to show.",
)
@click.option(
    "--sessions", is_flag=True, help="Instead: that the session store is written to no more."
)
@json_option
@pass_context
def acknowledge(
    ctx: Context, list_hash: str | None, rows: int, sessions: bool, as_json: bool
) -> ExitCode:
    """Show who loses access when the legacy path ends, and acknowledge that list.

    With --sessions: show the session store, and acknowledge that the application keeps none there any more.

    Exit code 3: it is not acknowledged.
    """
    from migrator.runner.gating import acknowledging
    from phases import p3_drain

    if sessions:
        store = p3_drain.silent_sessions(ctx, acknowledging=list_hash)
        emit(as_json, store, lambda out: _print(out, _of_store(store)))
        return ExitCode.DONE if store.known else ExitCode.HELD
    found = (
        acknowledging.acknowledge(ctx, list_hash)
        if list_hash
        else acknowledging.pinned_list(ctx, rows=rows)
    )
    emit(as_json, found, lambda out: _print(out, _who_loses(found)))
    return ExitCode.DONE if found.known else ExitCode.HELD


def _who_loses(found: Acknowledged) -> list[str]:
    pinned = found.pinned
    said = [f"{pinned.users:,} users lose access when the legacy path ends"]
    said += [f"  user {pk}: {reason}" for pk, reason in pinned.shown]
    if found.known:
        return [*said, "acknowledged" if pinned.users else "nobody has to be acknowledged"]
    if left_out := pinned.users - len(pinned.shown):
        said += [f"  and {left_out:,} more: migrator gate acknowledge --rows {pinned.users}"]
    return [*said, f"next: migrator gate acknowledge --hash {pinned.list_hash}"]


def _of_store(found: SilentStore) -> list[str]:
    written = "nobody can tell when" if found.written_at is None else iso(found.written_at)
    said = [
        f"{found.store}: {found.holding:,} sessions hold a user, {found.anonymous:,} nobody",
        f"  written to last: {written}",
        f"  a session with a user found last: {iso(found.user_seen_at)}",
    ]
    if found.known:
        return [*said, "the application writes there, or its silence is acknowledged"]
    return [
        *said,
        "where the application keeps its sessions elsewhere now, mend [legacy] instead",
        f"next: migrator gate acknowledge --sessions --hash {found.silence_hash}",
    ]


@contextmanager
def _changes(
    step: str, as_json: bool
) -> Iterator[Callable[[Sequence[GateRow], GateState, datetime], None]]:
    """Redraw in place on a terminal, else print each change: a line, or a line of JSON."""
    if sys.stdout.isatty() and not as_json:
        console = Console(highlight=False)
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            yield lambda rows, decision, at: live.update(
                Text("\n".join(_screen(console, rows, step, decision, at))), refresh=True
            )
        return
    seen: dict[str, str] = {}

    def print_changes(rows: Sequence[GateRow], decision: GateState, at: datetime) -> None:
        for row in rows:
            said = f"{row.label}: {row.reason}"
            if seen.get(row.gate) == said:
                continue
            seen[row.gate] = said
            if as_json:
                facts = {"at": iso(at), "decision": str(decision), "gate": row}
                click.echo(json_line(facts))
            else:
                click.echo(f"{iso(at)}  {row.gate} {said}")

    yield print_changes


def _screen(
    console: Console, rows: Sequence[GateRow], step: str, decision: GateState, at: datetime
) -> list[str]:
    return draw(
        rows, step=step, decision=decision, now=at, columns=console.width, lines=console.height
    )


gate.add_command(serve)


def _progress_line(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{verdict.gate.name} {verdict.label}" for verdict in verdicts)


def _conclusion(step: str, decision: GateState, rows: Sequence[GateRow]) -> list[str]:
    if not rows:
        return [f"{decision}: no gate guards {step}; an empty list proves nothing"]
    return [*verdict_lines(rows), f"together: {decision}"]


def _print(out: Console, said: Sequence[str]) -> None:
    for line in said:
        # A command that is cut in two cannot be copied.
        out.print(line, markup=False, soft_wrap=True)
