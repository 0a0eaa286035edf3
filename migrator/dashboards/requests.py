"""Counters as people read them: by instance, in the groups that matter for the drain. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from migrator.metrics.clients import CLIENTS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.dashboards.drain_picture import CounterRow

GROUPS = ("legacy", "auther", "other", "refused")


class Cell(NamedTuple):
    """A number of requests.

    Attributes:
        total: Since the instance started.
        fresh: Since the look before, `+?` when nobody can say; empty when there never was one.
    """

    total: str
    fresh: str


def request_cells(counters: Sequence[CounterRow]) -> list[tuple[str, tuple[Cell, ...]]]:
    """Give each instance with a cell for each of `GROUPS`."""
    names = sorted({row.instance for row in counters})
    return [(name, _cells([row for row in counters if row.instance == name])) for name in names]


def client_cells(counters: Sequence[CounterRow]) -> list[tuple[str, Cell]]:
    """Give accepted legacy requests of all instances by kind of client.

    While older shims tell no kind, one that nobody named is left out: zero is not known.
    """
    found = [row for row in counters if (row.path, row.outcome) == ("legacy", "accepted")]
    certain = bool(counters) and all(row.client != UNKNOWN for row in counters)
    named = {row.client for row in found} | set(CLIENTS if certain else ())
    kinds = [kind for kind in (*CLIENTS, UNKNOWN) if kind in named]
    return [(kind, _cell([row for row in found if row.client == kind])) for kind in kinds]


def _cells(mine: Sequence[CounterRow]) -> tuple[Cell, ...]:
    accepted = [row for row in mine if row.outcome == "accepted"]
    others = [row for row in mine if row.outcome in {"accepted", "anonymous"}]
    groups = (
        [row for row in accepted if row.path == "legacy"],
        [row for row in accepted if row.path == "auther"],
        [row for row in others if row.path not in {"legacy", "auther"}],
        [row for row in mine if row.outcome in {"refused", "unavailable"}],
    )
    return tuple(_cell(group) for group in groups)


def _cell(rows: Sequence[CounterRow]) -> Cell:
    total = _short(sum(row.since_start for row in rows))
    fresh = [row.since_last for row in rows]
    known = [count for count in fresh if count is not None]
    if len(known) < len(fresh):
        return Cell(total, "+?")
    return Cell(total, f"+{_short(sum(known))}" if rows else "")


def _short(count: int) -> str:
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if count >= size:
            return f"{count / (1000 if letter == 'k' else size):.1f}{letter}"
    return f"{count:,}"
