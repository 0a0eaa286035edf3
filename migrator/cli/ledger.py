"""`migrator ledger`: what was intended, what came of it, and whether the record still holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.table import Table

from migrator.cli.common import json_option, pass_context
from migrator.cli.groups import Group
from migrator.cli.output import emit
from migrator.core.errors import ConflictError

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.runner.context import Context
    from migrator.state.ledger import Entry


@click.group(cls=Group)
def ledger() -> None:
    """Read the append-only record and check that nobody changed it."""


@ledger.command()
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many of the newest entries.",
)
@click.option("--subject", help="Only one subject: preflight, import, stage, gate, remove.")
@json_option
@pass_context
def show(ctx: Context, last: int, subject: str | None, as_json: bool) -> None:
    """Show the newest entries, oldest first."""
    entries = ctx.state.ledger.entries(subject=subject, last=last)
    emit(as_json, entries, lambda out: _table(out, entries))


@ledger.command()
@json_option
@pass_context
def verify(ctx: Context, as_json: bool) -> None:
    """Find edits, gaps, reorders, and a tail cut against the published stage document."""
    document = ctx.state.checkpoints.get("stage", "document")
    known = (document["ledger_head"], document["ledger_length"]) if document else None
    faults = ctx.state.ledger.verify(known_head=known)
    if faults:
        raise ConflictError(
            "the ledger does not hold: " + "; ".join(faults),
            hint="stop and find out who changed the state; restore it from a backup",
        )
    head, length = ctx.state.ledger.head()
    emit(
        as_json,
        {"entries": length, "head": head},
        lambda out: out.print(f"The ledger holds: {length} entries, head {head[:16]}…"),
    )


def _table(out: Console, entries: list[Entry]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("#", "at (UTC)", "what", "kind", "facts"):
        table.add_column(column, overflow="fold")
    for entry in entries:
        kind = f"{entry.kind} of {entry.intent}" if entry.intent else entry.kind
        facts = json.dumps(entry.body, ensure_ascii=False) if entry.body else ""
        what = f"{entry.subject} {entry.action}"
        table.add_row(str(entry.seq), entry.at[:19].replace("T", " "), what, kind, facts)
    out.print(table)
