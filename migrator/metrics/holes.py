"""Holes in what was counted: each is a doubt of every count whose time it falls into, and of no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.metrics.base import Mark
from migrator.metrics.interface import Doubt, Grade

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from migrator.metrics.base import Base
    from migrator.metrics.interface import Process

_OF = "holes of "  # No instance is called so.


def hole_marks(processes: Iterable[Process], *, at: datetime) -> dict[str, Mark]:
    """Remember how many holes there were by now."""
    return {
        _OF + process.instance: Mark(process.started_at_s, process.holes, at)
        for process in processes
        if process.holes
    }


def is_hole(name: str) -> bool:
    """Tell such a mark from one of an instance."""
    return name.startswith(_OF)


def hole_doubts(processes: Iterable[Process], base: Base | None) -> list[Doubt]:
    """Say where something is missing since the look before; at a first look nothing is."""
    if base is None:
        return []
    return [
        Doubt(Grade.AMBIGUOUS, f"{process.instance}: {process.hole}: its count is too small")
        for process in processes
        if process.holes > _before(process, base)
    ]


def _before(process: Process, base: Base) -> float:
    mark = base.marks.get(_OF + process.instance)
    return mark.total if mark is not None and mark.started_at_s == process.started_at_s else 0
