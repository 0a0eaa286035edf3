"""`migrator gate`: whether the next step is safe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from migrator.cli.common import json_option, pass_context
from migrator.cli.drain import before_option
from migrator.cli.duration import DURATION
from migrator.cli.looks import looks
from migrator.cli.output import emit
from migrator.dashboards.drain_view import verdict_lines
from migrator.gates.verdict import GateState, decide
from migrator.runner.gating.picture import gate_row
from phases import p3_drain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from rich.console import Console

    from migrator.core.errors import ExitCode
    from migrator.dashboards.drain_picture import GateRow
    from migrator.gates.verdict import Verdict
    from migrator.runner.context import Context

FINAL = frozenset({GateState.PASSED, GateState.FAILED})


@click.group()
def gate() -> None:
    """Ask whether the next step is safe."""


@gate.command("list")
@before_option
@json_option
@pass_context
def list_(ctx: Context, step: str | None, as_json: bool) -> None:
    """Show all gates and where they stand; measures nothing and writes nothing."""
    planned = p3_drain.plan(ctx, step=step) if step else p3_drain.plan_all(ctx)
    rows = [gate_row(v) for v in p3_drain.judged(ctx, planned)]
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


def _progress_line(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{verdict.gate.name} {verdict.label}" for verdict in verdicts)


def _conclusion(step: str, decision: GateState, rows: Sequence[GateRow]) -> list[str]:
    if not rows:
        return [f"{decision}: no gate guards {step}; an empty list proves nothing"]
    return [*verdict_lines(rows), f"together: {decision}"]


def _print(out: Console, said: Sequence[str]) -> None:
    for line in said:
        out.print(line, markup=False)
