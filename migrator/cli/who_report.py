"""How `migrator drain who` shows people: masked unless asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from migrator.dashboards.populations_view import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from migrator.dashboards.drain_picture import Populations
    from migrator.runner.gating.who import LeftPage


def show_left(out: Console, pages: Sequence[LeftPage], counted: Populations | None) -> None:
    """Print the pages for people, after what was counted."""
    for line in lines(counted) if counted else ():
        out.print(line, markup=False)
    for page in pages:
        out.print(f"\n{page.kind}: {page.todo if page.left else 'nobody'}", markup=False)
        table = Table(box=None, show_header=False, pad_edge=False)
        for each in page.left:
            table.add_row(" ", each.user, each.email, each.why)
        if page.left:
            out.print(table, markup=False)
        if page.after:
            out.print(f"more: migrator drain who {page.kind} --after {page.after}", markup=False)
