"""`migrator import write-back`: what people changed at Auther goes to the application."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from migrator.cli.common import dry_run_option, json_option, pass_context
from migrator.cli.output import emit
from migrator.cli.webhooks import listening
from migrator.core.clock import iso
from migrator.core.durations import format_duration
from migrator.core.errors import ExitCode, UsageError
from migrator.core.redact import mask_email
from migrator.runner.interruption import Interruption
from migrator.runner.writing_back.outcome import MEANING, said_of_lost

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from migrator.runner.context import Context
    from migrator.runner.writing_back.outcome import Outcome
    from migrator.runner.writing_back.passing import Passed
    from migrator.runner.writing_back.pending import Pending, Shown
    from migrator.runner.writing_back.running import Total

_AGAIN = "next: migrator import write-back --pending"


@click.command("write-back")
@click.option("--watch", "watching", is_flag=True, help="Go on, a pass every 2 s, until Ctrl-C.")
@click.option(
    "--pending", "asking", is_flag=True, help="Only list who could not sign in after a rollback."
)
@click.option("--show-emails", is_flag=True, help="Print addresses in full.")
@dry_run_option
@json_option
@pass_context
def write_back(
    ctx: Context, watching: bool, asking: bool, show_emails: bool, dry_run: bool, as_json: bool
) -> ExitCode:
    """Write new passwords, addresses and users from Auther into the users table.

    Exit code 3: after a rollback somebody could not sign in; --pending lists who and why.
    """
    from migrator.runner.writing_back.pending import look
    from migrator.runner.writing_back.running import run

    if watching and (asking or dry_run):
        raise UsageError("--watch writes", hint="migrator import write-back --pending")
    if asking or dry_run:
        found = look(ctx)
        emit(as_json, _data(found, show_emails), lambda out: _show(out, found, show_emails))
        return ExitCode.DONE if found.clear or dry_run else ExitCode.HELD
    total = _watch(ctx) if watching else run(ctx)
    emit(as_json, total.facts(), lambda out: _show_total(out, total))
    return ExitCode.HELD if total.open_users or total.lost else ExitCode.DONE


def _watch(ctx: Context) -> Total:
    from migrator.runner.writing_back.running import watch

    with (
        Interruption() as interruption,
        listening(ctx) as bell,
        _screen(ctx) as show,
    ):
        total = watch(ctx, interruption=interruption, show=show, bell=bell)
    sys.stderr.write("stopped; the same command goes on\n")
    return total


@contextmanager
def _screen(ctx: Context) -> Iterator[Callable[[Passed, Total], None]]:
    """Redraw a line on a terminal, else print one when something happened."""
    if not sys.stderr.isatty():
        yield lambda passed, total: _say_pass(ctx, passed, total)
        return
    with Live(console=Console(stderr=True, highlight=False), auto_refresh=False) as live:
        yield lambda _passed, total: live.update(Text(_line(ctx, total)), refresh=True)


def _say_pass(ctx: Context, passed: Passed, total: Total) -> None:
    if passed:
        ctx.progress.say(f"{_line(ctx, total)} (now: {_counted(passed.outcomes)})")


def _line(ctx: Context, total: Total) -> str:
    at = iso(ctx.clock.now())[11:19]
    return f"{at}Z {_counted(total.outcomes)}; {total.open_users:,} people are open"


def _counted(outcomes: Counter[Outcome]) -> str:
    return ", ".join(f"{n} {outcome}" for outcome, n in sorted(outcomes.items())) or "nothing new"


def _show_total(out: Console, total: Total) -> None:
    for outcome, n in sorted(total.outcomes.items()):
        why = f"   {MEANING[outcome]}" if outcome in MEANING else ""
        _say(out, f"{n:>8,}  {outcome}{why}")
    if total.moved_back:
        _say(out, f"{total.moved_back:>8,}  at home in the application again")
    if total.lost:
        _say(out, f"not known: {said_of_lost(total.lost)}")
    if total.open_users:
        _say(out, f"{total.open_users} people could not sign in as usual after a rollback")
        _say(out, _AGAIN)
    if total.lost or total.open_users:
        return
    _say(out, "everything that changed at Auther is in the application")


def _data(found: Pending, show_emails: bool) -> dict[str, object]:
    shown = [{**asdict(row), "email": _email(row, show_emails)} for row in found.shown]
    return {**asdict(found), "shown": shown, "clear": found.clear}


def _email(row: Shown, show_emails: bool) -> str | None:
    return row.email if show_emails or row.email is None else mask_email(row.email)


def _show(out: Console, found: Pending, show_emails: bool) -> None:
    for row in found.shown:
        email = _email(row, show_emails) or "no row here"
        _say(out, f"  {row.state:<5} {row.kind:<9} user {row.user} ({email}): {row.why}")
    _say(out, f"{_or_unknown(found.users)} people could not sign in as usual after a rollback")
    if found.unread is not None:
        _say(out, f"{found.unread.events} changes are not read yet{_lag(found)}")
    if found.homes:
        _say(out, f"{found.homes} people are not at home in the application again yet")
    for reason in found.unknown:
        _say(out, f"not known: {reason}")
    if found.clear:
        _say(out, "everything that changed at Auther is in the application")
    elif found.homes or (found.unread is not None and found.unread.events):
        _say(out, "next: migrator import write-back")


def _lag(found: Pending) -> str:
    unread = found.unread
    if unread is None or not unread.events:
        return ""
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(unread.by_kind.items()))
    bare = f", {unread.without_password} without a password" if unread.without_password else ""
    return f" ({kinds}{bare}; the oldest {format_duration(unread.lag)} ago)"


def _or_unknown(number: int | None) -> str:
    return "unknown:" if number is None else str(number)


def _say(out: Console, line: str) -> None:
    out.print(escape(line), soft_wrap=True)
