"""`migrator import snapshot`: copies of what is at Auther, and how they are put back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from migrator.cli.common import json_option, pass_context
from migrator.cli.output import emit

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.runner.context import Context
    from migrator.runner.importing.snapshots import Snapshot

_MEGABYTE = 1_000_000
_OF_A_FILE = (
    "To put one back: stop Auther, copy the file over auther.database, remove what SQLite keeps"
    " beside it (-journal, -wal, -shm), start Auther."
)
_OF_ROWS = (
    "A .jsonl file holds one row a line, to look up what a user was like before; one that was taken"
    " through the plugin has no passwords of others' users. What the import wrote is taken out by:"
    " migrator import rollback"
)


@click.command()
@click.option("--list", "only_list", is_flag=True, help="Show the snapshots there are; take none.")
@json_option
@pass_context
def snapshot(ctx: Context, only_list: bool, as_json: bool) -> None:
    """Copy what is at Auther into .migrator/snapshots (mode 0600).

    `migrator import run` takes one by itself before it first writes among other users.
    """
    from migrator.runner.importing.snapshots import list_snapshots, take_snapshot

    if not only_list:
        take_snapshot(ctx)
    found = list_snapshots(ctx)
    shown = found if only_list else found[-1:]
    data = [{**asdict(one), "there": there} for one, there in shown]
    emit(as_json, data, lambda out: _show(out, shown))


def _show(out: Console, found: list[tuple[Snapshot, bool]]) -> None:
    if not found:
        out.print("There are no snapshots yet.")
        return
    for one, there in found:
        size = f"{one.size_bytes / _MEGABYTE:,.1f} MB"
        missing = "" if there else "  MISSING"
        out.print(
            f"{one.file}  {one.users:,} users  {size}  SHA-256 {one.sha256[:16]}…{missing}",
            markup=False,
            soft_wrap=True,
        )
    suffixes = {one.file.rpartition(".")[2] for one, _ in found}
    for suffix, advice in (("db", _OF_A_FILE), ("jsonl", _OF_ROWS)):
        if suffix in suffixes:
            out.print(advice, soft_wrap=True)
