"""`migrator drain`: who is still on the legacy path."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from migrator.cli.census_report import census_line, standing_line
from migrator.cli.common import dry_run_option, json_option, pass_context
from migrator.cli.drawing import grafana, rules
from migrator.cli.duration import DURATION
from migrator.cli.groups import Group
from migrator.cli.looks import looks
from migrator.cli.output import emit, print_json
from migrator.cli.who_report import show_left
from migrator.core.errors import ExitCode, UsageError
from migrator.dashboards.drain_view import Screen, draw, summary
from migrator.dashboards.health_view import health_lines
from migrator.gates.verdict import decide
from migrator.runner.notifying.afterwards import deliver_soon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from migrator.dashboards.drain_picture import DrainPicture
    from migrator.gates.verdict import Verdict
    from migrator.runner.context import Context
    from migrator.runner.gating.census import CensusReport

REDRAWN_PER_S = 0.5
STEPS = click.Choice(["dual", "drain", "auther", "remove"])
KINDS = ("pinned", "sessions", "remembered", "recent")
before_option = click.option(
    "--before", "step", type=STEPS, help="Whose gates; default: the step that comes next."
)


@click.group(cls=Group)
def drain() -> None:
    """See who is still on the legacy path, and when it ends."""


drain.add_command(rules)
drain.add_command(grafana)


@drain.command()
@before_option
@json_option
@pass_context
def status(ctx: Context, step: str | None, as_json: bool) -> None:
    """Look once: deadline, bound, forecast, sessions, requests, coverage. Takes no sample for a gate."""
    from phases import p3_drain

    picture = p3_drain.survey(ctx, p3_drain.plan(ctx, step=step))
    emit(as_json, picture, lambda out: out.print(draw(picture, _screen_of(out))))


@drain.command()
@json_option
@pass_context
def health(ctx: Context, as_json: bool) -> None:
    """Look once: errors, sign-ins against the weeks before, the shim's time, refusals per door."""
    from phases import p3_drain

    picture = p3_drain.health(ctx)
    emit(as_json, picture, lambda out: _print_lines(out, health_lines(picture)))


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

    Goes on when a source is away and counts again when it is back; one watch at a time. Ends with the gates' exit code:
    0 passed, 1 failed, 3 anything else; Ctrl-C ends it the same way.
    """
    from phases import p3_drain

    planned = p3_drain.plan(ctx, step=step)
    verdicts: tuple[Verdict, ...] = ()
    every = interval or ctx.config.drain.interval
    try:
        with p3_drain.only_watch(ctx) as check, _screen(ctx, as_json=as_json) as show:
            for _ in looks(ctx.clock, interval=every, count=count, duration=duration):
                check()
                verdicts, picture = p3_drain.watch(ctx, planned)
                show(picture)
                deliver_soon(ctx)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; samples and verdicts so far are kept\n")
    return decide([verdict.state for verdict in verdicts]).exit_code


@drain.command()
@click.option("--watch", is_flag=True, help="Go on, every [drain] interval, until Ctrl-C.")
@click.option("--interval", type=DURATION, help="Between two runs; default: [drain] interval.")
@click.option("--count", type=click.IntRange(min=1), help="With --watch: stop after so many runs.")
@dry_run_option
@json_option
@pass_context
def census(
    ctx: Context,
    watch: bool,
    interval: timedelta | None,
    count: int | None,
    dry_run: bool,
    as_json: bool,
) -> ExitCode:
    """Note in migrator_session what each session row holds, so that a look need not read them all.

    The sessions themselves are only read. Killed at any point, the same command goes on. Exit code 3: some
    rows are not read yet.
    """
    from migrator.runner.gating.census import census_standing
    from phases import p3_drain

    if dry_run:
        found = census_standing(ctx)
        emit(as_json, found, lambda out: out.print(standing_line(found), markup=False))
        return ExitCode.DONE
    report: CensusReport | None = None
    every, times = interval or ctx.config.drain.interval, count if watch else 1
    try:
        for _ in looks(ctx.clock, interval=every, count=times, duration=None):
            report = p3_drain.census(ctx, keep_on=watch)
            emit(as_json, report, partial(_say_census, report))
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the next run goes on where this one was\n")
    return ExitCode.DONE if report and report.whole else ExitCode.HELD


@drain.command("who")
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS), metavar="[KIND]...")
@click.option(
    "--limit",
    "rows",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many to list.",
)
@click.option("--after", default="", help="Go on after a page; with one KIND.")
@click.option("--unmask", is_flag=True, help="Print addresses and keys in full.")
@json_option
@pass_context
def who_is_left(
    ctx: Context,
    kinds: tuple[str, ...],
    rows: int,
    after: str,
    unmask: bool,
    as_json: bool,
) -> None:
    """List who is still on the legacy path, why, and what to do about them.

    KIND: pinned, sessions, remembered, recent; all of them without one. Changes nothing.
    """
    from migrator.runner.gating.who import Asked, masked, who
    from phases import p3_drain

    if after and len(kinds) != 1:
        raise UsageError(
            "--after goes on with one KIND", hint="migrator drain who pinned --after …"
        )
    pages = who(ctx, kinds or KINDS, Asked(after, rows))
    shown = pages if unmask else masked(pages, ctx.migration_key(), ctx.config.legacy.model)
    counted = None if after else p3_drain.populations(ctx)
    data = {"populations": counted, "pages": shown}
    emit(as_json, data, lambda out: show_left(out, shown, counted))


def _say_census(report: CensusReport, out: Console) -> None:
    out.print(census_line(report), markup=False)


def _print_lines(out: Console, lines: Sequence[str]) -> None:
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)


@contextmanager
def _screen(ctx: Context, *, as_json: bool) -> Iterator[Callable[[DrainPicture], None]]:
    """Keep the view up to date on a terminal, else print a line, or a JSON document, for each look."""
    console = Console(highlight=False)
    if as_json:
        yield print_json
    elif not console.is_terminal or console.is_dumb_terminal:
        yield lambda picture: click.echo(summary(picture))
    else:
        with _redrawn(console, ctx) as show:
            yield show


@contextmanager
def _redrawn(console: Console, ctx: Context) -> Iterator[Callable[[DrainPicture], None]]:
    """Draw on the whole terminal every two seconds, so that a resize and a look's age are seen; leave the last view."""
    shown: list[DrainPicture] = []

    def view() -> Text:
        if not shown:
            return Text("looking …")
        return draw(shown[-1], _screen_of(console), now=ctx.clock.now())

    try:
        with Live(
            console=console, screen=True, refresh_per_second=REDRAWN_PER_S, get_renderable=view
        ) as live:

            def show(picture: DrainPicture) -> None:
                shown[:] = [picture]
                live.refresh()

            yield show
    finally:
        if shown:
            console.print(draw(shown[-1], _screen_of(console)))


def _screen_of(console: Console) -> Screen:
    plain = not console.encoding.startswith("utf")
    if not console.is_terminal:
        return Screen(plain=plain)
    return Screen(console.width, console.height, plain)
