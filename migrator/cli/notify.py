"""`migrator notify`: whether people elsewhere hear of what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migrator.cli.common import json_option, pass_context
from migrator.cli.groups import Group
from migrator.cli.output import emit
from migrator.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from migrator.runner.context import Context


@click.group(cls=Group)
def notify() -> None:
    """Tell people elsewhere: webhooks on stage, gate and health events."""


@notify.command()
@json_option
@pass_context
def test(ctx: Context, as_json: bool) -> ExitCode:
    """Send a test event to every webhook. Exit code 4: one did not take it."""
    from migrator.runner.notifying.delivering import send_test

    if not ctx.config.notify.webhooks:
        raise UsageError("no webhook is configured", hint="see [notify] in migrator.toml")
    found = send_test(ctx)
    lines = [f"{receiver}: {error or 'taken'}" for receiver, error in found.items()]
    emit(as_json, found, lambda out: out.print("\n".join(lines), markup=False))
    return ExitCode.DEPENDENCY if any(found.values()) else ExitCode.DONE


@notify.command()
@json_option
@pass_context
def flush(ctx: Context, as_json: bool) -> ExitCode:
    """Send everything that waits now, whatever its next attempt is. Exit code 4: some still waits."""
    from migrator.runner.notifying.delivering import deliver

    done = deliver(ctx, everything=True)
    lines = [f"{done.sent} sent, {done.waiting} waiting", *done.errors]
    emit(as_json, done, lambda out: out.print("\n".join(lines), markup=False))
    return ExitCode.DEPENDENCY if done.waiting else ExitCode.DONE
