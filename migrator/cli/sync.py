"""`migrator import sync`: Auther kept in step with the application."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from migrator.cli.common import dry_run_option, json_option, pass_context
from migrator.cli.output import emit, print_json
from migrator.core.errors import ExitCode, UsageError
from migrator.runner.interruption import Interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrator.runner.context import Context
    from migrator.runner.syncing.passes import PassReport, Wish

_QUIET_S = 60


@click.command()
@click.option("--watch", is_flag=True, help="Go on, every [sync] interval, until Ctrl-C.")
@click.option("--full", is_flag=True, help="Look at all users, not only at updated_at.")
@click.option(
    "--release-brake",
    "release",
    metavar="HASH",
    default="",
    help="Let exactly the set through that a brake holds under this hash.",
)
@dry_run_option
@json_option
@pass_context
def sync(
    ctx: Context, watch: bool, full: bool, release: str, dry_run: bool, as_json: bool
) -> ExitCode:
    """Bring what changed in the application to Auther, for users who are at home there.

    Killed at any point, the same command finishes the work. Exit code 3: a brake holds, or some
    users cannot be followed.
    """
    from migrator.runner.syncing import commands
    from migrator.runner.syncing.passes import Wish

    wish = Wish(full=full, dry_run=dry_run, release=release)
    if not watch:
        report = commands.sync(ctx, wish)
        emit(as_json, report, lambda out: show_pass(out, ctx, report))
        return ExitCode.DONE if report.holds else ExitCode.HELD
    if dry_run:
        raise UsageError(
            "--watch writes; --dry-run does not", hint="migrator import sync --dry-run"
        )
    return _watch(ctx, wish, as_json=as_json)


def _watch(ctx: Context, wish: Wish, *, as_json: bool) -> ExitCode:
    from migrator.runner.syncing import commands

    last = None
    try:
        with Interruption() as interruption, _screen(as_json) as show:
            last = commands.watch(ctx, wish, interruption=interruption, show=show)
    except KeyboardInterrupt:
        sys.stderr.write("stopped in mid-pass; the next pass does its work again\n")
    else:
        sys.stderr.write("stopped\n")
    return ExitCode.DONE if last is not None and last.holds else ExitCode.HELD


@contextmanager
def _screen(as_json: bool) -> Iterator[Callable[[PassReport], None]]:
    """Redraw a line on a terminal, else print one now and then, or a JSON document for each pass."""
    if as_json:
        yield print_json
    elif sys.stdout.isatty():
        with Live(console=Console(highlight=False), auto_refresh=False) as live:
            yield lambda report: live.update(Text(line(report)), refresh=True)
    else:
        yield _Lines().show


class _Lines:
    """Says what happened, and once a minute that nothing did."""

    def __init__(self) -> None:
        self._said_at = float("-inf")

    def show(self, report: PassReport) -> None:
        if report.waiting or time.monotonic() - self._said_at >= _QUIET_S:
            self._said_at = time.monotonic()
            click.echo(line(report))


def line(report: PassReport) -> str:
    """Say a pass in one line."""
    lag, wrote = report.lag, report.wrote
    written = wrote["imported"] + wrote["changed"]
    rate = report.looked / report.seconds if report.seconds else 0
    said = f"{lag.at[11:19]}Z {'all users' if report.full else 'changed users'}:"
    said += f" {report.looked:,} looked at, {rate:,.0f} rows/s, {written:,} written;"
    said += f" {lag.rows:,} rows and {lag.seconds:,.0f} s behind"
    return said + (f"; {lag.quarantined:,} cannot be followed" if lag.quarantined else "")


def show_pass(out: Console, ctx: Context, report: PassReport) -> None:
    """Print a pass for people."""
    settings = ctx.config.sync
    out.print(line(report))
    done = report.would if report.dry_run else report.wrote
    verb = "would " if report.dry_run else ""
    told = ", ".join(f"{name} {count:,}" for name, count in done.items() if count)
    out.print(f"{verb}{told}" if told else "nothing to do")
    if report.left_to_auther:
        out.print(f"left to Auther: {report.left_to_auther:,} (moved, or linked at a login)")
    if report.unseen:
        out.print(
            f"note: {report.unseen} sessions belong to roles that ours cannot see: the last"
            f" {settings.unseen_for.total_seconds() / 60:,.0f} min are read again each time;"
            " GRANT pg_read_all_stats to the role of legacy.dsn"
        )
    if not report.is_indexed:
        out.print("note: no index on updated_at: each pass scans the users table")
    if report.roles_unread:
        out.print(
            "note: roles are not followed: access_tuples cannot be read"
            " (no such table, or the plugin has no option `database`)"
        )
    if report.lag.quarantined:
        out.print(f"held: {report.lag.quarantined:,} users in {settings.rejects_file.name}")
