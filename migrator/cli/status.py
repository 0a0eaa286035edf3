"""`migrator status`: where the migration stands, what holds it, the next command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.table import Table

from migrator.cli.common import json_option, pass_context
from migrator.cli.output import emit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from migrator.runner.context import Context
    from migrator.runner.standing import Standing


@click.command()
@json_option
@pass_context
def status(ctx: Context, as_json: bool) -> None:
    """Say where the migration stands, what is held and why, and the next command."""
    from migrator.cli.standings import standings_of
    from migrator.runner.syncing.standing import describe
    from migrator.runner.writing_back.running import describe as describe_write_back

    standings = standings_of(ctx)
    unfinished = [
        f"entry {entry.seq}: {entry.subject} {entry.action} was begun at {entry.at[:19]}Z and has no outcome"
        for entry in ctx.state.ledger.pending()
    ]
    subjects = ("import", "write-back", "stage", "remove")
    working = {s: h for s in subjects if (h := ctx.state.locks.holder(s))}
    synced, written = describe(ctx), describe_write_back(ctx)
    following_both = [found["words"] for found in (synced, written) if found]
    notes = [*unfinished, *_running(working), *following_both]
    following = next((s.next_command for s in standings.values() if not s.done), "")
    emit(
        as_json,
        {
            "migration": ctx.config.migration.name,
            "phases": standings,
            "unfinished": unfinished,
            "running": working,
            "sync": synced,
            "write_back": written,
            "next": following,
        },
        lambda out: _screen(out, ctx, standings, notes, following),
    )


def _running(working: Mapping[str, str]) -> list[str]:
    return [f"{holder} is working on the {subject}" for subject, holder in working.items()]


def _screen(
    out: Console, ctx: Context, standings: Mapping[str, Standing], notes: list[str], following: str
) -> None:
    out.print(f"migration {ctx.config.migration.name}", style="bold")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, standing in standings.items():
        table.add_row(name, standing.state)
        for reason in standing.held:
            table.add_row("", f"held: {reason}")
    out.print(table)
    for note in notes:
        out.print(f"note: {note}")
    out.print(f"next: {following}" if following else "nothing left to do", style="bold")
