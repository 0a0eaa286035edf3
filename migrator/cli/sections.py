"""Sections of a report: a heading, then short tables without frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


def heading(out: Console, title: str) -> None:
    """Begin a section."""
    out.print()
    out.print(title, style="bold", markup=False)


def lines(out: Console, said: Mapping[str, str]) -> None:
    """Show what is called how, a line each."""
    table = grid(right=False)
    for name, text in said.items():
        row(table, name, text)
    out.print(table)


def grid(*, right: bool = True) -> Table:
    """Give a table without a frame: a name, a number or text, and what is said of it."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right" if right else "left", overflow="fold")
    table.add_column(overflow="fold")
    return table


def row(table: Table, *cells: str) -> None:
    """Add a row; brackets in a cell are no markup."""
    table.add_row(*map(Text, cells))


def many(count: int, word: str) -> str:
    """Count things in words."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
