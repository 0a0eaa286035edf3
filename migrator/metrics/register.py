"""Which processes a look knew by what they wrote down themselves: the next look tells by it what is new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.core.clock import iso, parse_iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from migrator.metrics.interface import WrittenProcess

# Until a row is there for others to read it may take a moment after the time that it names.
SETTLES = timedelta(hours=1)


class Key(NamedTuple):
    """What tells a process from others: its instance's name and when it began by its own clock."""

    instance: str
    started_at_s: float


class Known(NamedTuple):
    """What a look knew of a process.

    Attributes:
        total: What it had counted; None where that was not read.
        is_gone: It ended without a word, and that was told.
    """

    total: float | None
    is_gone: bool = False


@dataclass(frozen=True)
class Register:
    """The processes of a look.

    Attributes:
        at: When it was taken, by the database's clock, as are all times of the rows.
        known: Those that may still change; older ones are left out.
    """

    at: datetime
    known: Mapping[Key, Known]

    def total_of(self, row: WrittenProcess) -> float | None:
        """Give what a process had counted at this look: nothing if it was not there yet, None if unknown."""
        known = self.known.get(Key(row.instance, row.started_at_s))
        if known is not None:
            return known.total
        return 0.0 if row.began_at > self.at - SETTLES else None

    def has_settled(self, row: WrittenProcess) -> bool:
        """Tell whether all of a process was counted, or told as lost, at this look or before."""
        known = self.known.get(Key(row.instance, row.started_at_s))
        if known is not None:
            return known.is_gone and not row.is_whole and row.seen_at <= self.at
        if row.began_at > self.at - SETTLES:
            return False
        if row.ended_at is None:
            return row.seen_at <= self.at
        return row.ended_at <= self.at - SETTLES

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        known = [[*key, *one] for key, one in sorted(self.known.items())]
        return {"at": iso(self.at), "known": known}


def register_from_json(data: Mapping[str, Any]) -> Register:
    """Read what `to_json` wrote."""
    known = {Key(name, s): Known(total, is_gone) for name, s, total, is_gone in data["known"]}
    return Register(parse_iso(data["at"]), known)
