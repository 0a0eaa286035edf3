"""How `migrator drain who` shows people: masked unless asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.table import Table

from migrator.core.ids import pseudonym
from migrator.core.redact import mask_email
from migrator.dashboards.populations_view import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from migrator.dashboards.drain_picture import Populations
    from migrator.runner.gating.who import LeftPage


def masked(pages: Sequence[LeftPage], key: bytes, source: str) -> list[LeftPage]:
    """Give the pages with what stands for each user; the cursors stay, they are what asks again."""
    return [
        replace(
            page,
            left=tuple(
                replace(
                    each,
                    user=each.user and pseudonym(key, source=source, pk=each.user),
                    email=each.email and mask_email(each.email),
                )
                for each in page.left
            ),
        )
        for page in pages
    ]


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
