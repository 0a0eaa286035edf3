"""Draws the gates before a step on a terminal: 80 columns, 24 lines, readable without colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrator.dashboards.drain_picture import GateRow

COLUMNS, LINES = 80, 24
_HEAD_AND_FOOT = 4


def draw(
    rows: Sequence[GateRow],
    *,
    step: str,
    decision: str,
    now: datetime,
    columns: int = COLUMNS,
    lines: int = LINES,
) -> list[str]:
    """Give the lines of one screen, worst first, each cut to the width.

    Args:
        rows: The gates.
        step: What they guard.
        decision: What they mean together.
        now: For the countdowns.
        columns: Of the terminal.
        lines: Of the terminal.
    """
    worst = sorted(rows, key=lambda row: row.state in {"PASSED", "OVERRIDDEN"})
    room = (lines - _HEAD_AND_FOOT) // 2
    shown = worst if len(worst) <= room else worst[: room - 1]
    said = [f"gates before {step}   {now:%Y-%m-%d %H:%M:%SZ}", ""]
    for row in shown:
        said += [f"{row.label:<18} {row.gate:<24} {_when(row, now)}", f"  {row.reason}"]
    if len(shown) < len(worst):
        said.append(f"… {len(worst) - len(shown)} more: migrator gate list --before {step}")
    said += ["", f"together: {decision}; Ctrl-C ends this, samples are kept"]
    return [line if len(line) <= columns else line[: columns - 1] + "…" for line in said]


def _when(row: GateRow, now: datetime) -> str:
    since = f"for {format_duration(now - row.since)}" if row.since else ""
    if row.good_until is not None and row.good_until > now:
        return f"{since}, good for {format_duration(row.good_until - now)}".lstrip(", ")
    if row.next_look is not None:
        following = max(row.next_look - now, now - now)
        return f"{since}, next look in {format_duration(following)}".lstrip(", ")
    return since
