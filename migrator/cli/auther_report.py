"""How the doctor's findings look: one table, what stands in the way at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from migrator.auther.doctor.interface import State
from migrator.auther.doctor.registry import what

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.auther.doctor.interface import Finding
    from migrator.runner.standing_up.doctoring import Diagnosis

_LOOKS = {State.FOUND: "green", State.MISSING: "red", State.UNKNOWN: "yellow"}


def diagnosis_data(made: Diagnosis) -> dict[str, Any]:
    """Give a diagnosis for programs."""
    return {
        "base_url": made.base_url,
        "at": made.at,
        "ready": not made.missing and not made.unknown,
        "missing": made.missing,
        "unknown": made.unknown,
        "findings": made.findings,
    }


def show_diagnosis(out: Console, made: Diagnosis) -> None:
    """Show all findings, then the verdict."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("question", overflow="fold", max_width=24)
    table.add_column("state", no_wrap=True)
    table.add_column("what was found, and what it means", overflow="fold")
    table.add_column("provided by", overflow="fold", max_width=15)
    for code, found in made.findings.items():
        table.add_row(
            Text(what(code)), _state(found), Text(f"{found.found}"), Text(str(found.provider))
        )
        table.add_row("", "", Text(f"→ {found.means}", style="dim"), "")
    out.print(table)
    out.print()
    _verdict(out, made)


def _state(found: Finding) -> Text:
    mark = " !" if found.blocks else ""
    return Text(f"{found.state}{mark}", style=_LOOKS[found.state])


def _verdict(out: Console, made: Diagnosis) -> None:
    if made.missing:
        out.print(f"NOT READY: {', '.join(made.missing)}", style="bold")
    elif made.unknown:
        out.print(f"NOT KNOWN: {', '.join(made.unknown)}", style="bold")
    else:
        out.print("READY: nothing at Auther stands in the way of the cutover", style="bold")
