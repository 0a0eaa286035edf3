"""`migrator drain`: who is still on the legacy path."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.live import Live

from migrator.cli.common import json_option, pass_context
from migrator.cli.duration import DURATION
from migrator.cli.looks import looks
from migrator.cli.output import emit, print_json
from migrator.dashboards.drain_view import draw, summary
from migrator.gates.verdict import decide
from migrator.runner.notifying.afterwards import deliver_soon
from phases import p3_drain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from migrator.core.errors import ExitCode
    from migrator.dashboards.drain_picture import DrainPicture
    from migrator.gates.verdict import Verdict
    from migrator.runner.context import Context

STEPS = click.Choice(["dual", "drain", "auther", "remove"])
before_option = click.option(
    "--before", "step", type=STEPS, help="Whose gates; default: the step that comes next."
)


@click.group()
def drain() -> None:
    """See who is still on the legacy path, and when it ends."""


@drain.command()
@before_option
@json_option
@pass_context
def status(ctx: Context, step: str | None, as_json: bool) -> None:
    """Look once: deadline, bound, forecast, sessions, requests, coverage. Takes no sample for a gate."""
    picture = p3_drain.survey(ctx, p3_drain.plan(ctx, step=step))
    emit(as_json, picture, lambda out: out.print(draw(picture, columns=out.width)))


@drain.command()
@before_option
@click.option("--interval", type=DURATION, help="Between two looks; default: [drain] interval.")
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many looks.")
@click.option("--for", "duration", type=DURATION, help="Stop after this time.")
@json_option
@pass_context
def watch(
    ctx: Context,
    step: str | None,
    interval: timedelta | None,
    count: int | None,
    duration: timedelta | None,
    as_json: bool,
) -> ExitCode:
    """Look again and again, and take samples for the gates as they fall due.

    Goes on when a source is away and counts again when it is back. Ends with the gates' exit code:
    0 passed, 1 failed, 3 anything else; Ctrl-C ends it the same way.
    """
    planned = p3_drain.plan(ctx, step=step)
    verdicts: tuple[Verdict, ...] = ()
    every = interval or ctx.config.drain.interval
    try:
        with _screen(as_json) as show:
            for _ in looks(ctx.clock, interval=every, count=count, duration=duration):
                verdicts, picture = p3_drain.watch(ctx, planned)
                show(picture)
                deliver_soon(ctx)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; samples and verdicts so far are kept\n")
    return decide([verdict.state for verdict in verdicts]).exit_code


@contextmanager
def _screen(as_json: bool) -> Iterator[Callable[[DrainPicture], None]]:
    """Redraw in place on a terminal, else print a line, or a JSON document, for each look."""
    if as_json:
        yield print_json
        return
    if not sys.stdout.isatty():
        yield lambda picture: click.echo(summary(picture))
        return
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        yield lambda picture: live.update(draw(picture, columns=console.width), refresh=True)
