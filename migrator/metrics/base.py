"""Where a count of events begins: what each process had counted at the look before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso, parse_iso
from migrator.metrics.interface import Doubt, Grade, Reading
from migrator.metrics.register import Register, register_from_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class Mark:
    """One process at one look.

    Attributes:
        started_at_s: When it began, seconds since 1970.
        total: What it had counted since then.
    """

    started_at_s: float
    total: float
    at: datetime


@dataclass(frozen=True)
class Base:
    """All processes, each at the last look that read it.

    Attributes:
        at: When the look before was taken.
        register: The processes that had written themselves down; None where nobody knew.
    """

    at: datetime
    marks: Mapping[str, Mark]
    register: Register | None = None

    def moved(
        self, fresh: Mapping[str, Mark], *, at: datetime, register: Register | None = None
    ) -> Base:
        """Give the base of the next look: processes that could not be read now keep their mark."""
        kept = {name: m for name, m in self.marks.items() if at - m.at <= KEPT_FOR}
        return Base(at, {**kept, **fresh}, register)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        marks = {n: [m.started_at_s, m.total, iso(m.at)] for n, m in self.marks.items()}
        register = {"register": self.register.to_json()} if self.register is not None else {}
        return {"at": iso(self.at), "marks": marks, **register}


def base_from_json(data: Mapping[str, Any]) -> Base:
    """Read what `to_json` wrote."""
    marks = {n: Mark(s, total, parse_iso(at)) for n, (s, total, at) in data["marks"].items()}
    register = register_from_json(data["register"]) if "register" in data else None
    return Base(parse_iso(data["at"]), marks, register)


@dataclass(frozen=True)
class Beside:
    """What was counted in another way than from mark to mark.

    Attributes:
        marks: Those that the next look needs.
        counts: What is new, by process.
        register: The processes that had written themselves down.
    """

    marks: Mapping[str, Mark] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)
    register: Register | None = None


def since(
    base: Base | None,
    marks: Mapping[str, Mark],
    *,
    at: datetime,
    doubts: Iterable[Doubt],
    lost: Iterable[str] = (),
    beside: Beside | None = None,
) -> Reading:
    """Count what is new since the look before.

    Args:
        base: Where counting begins, None or empty at a first look.
        marks: What each process has counted by now.
        at: When this look was taken.
        doubts: Those known already.
        lost: What ended before it was read.
        beside: What is counted elsewhere.
    """
    doubts, beside = list(doubts), beside or Beside()
    kept = {**marks, **beside.marks}
    if base is None or not base.marks:
        doubts.append(Doubt(Grade.NO_DATA, "the first look only sets where counting begins"))
        moved = Base(at, kept, beside.register)
        return Reading(None, tuple(doubts), evidence={"base": moved.to_json()})
    found = {name: increment(name, mark, base) for name, mark in marks.items()}
    unknown = [answer for answer in found.values() if isinstance(answer, Doubt)]
    doubts += unknown
    gaps = (*lost, *_beginnings(base, marks), *(answer.reason for answer in unknown))
    counts = {name: n for name, n in found.items() if not isinstance(n, Doubt)}
    counts |= beside.counts
    evidence = {
        "increments": counts,
        "since": iso(base.at),
        "base": base.moved(kept, at=at, register=beside.register).to_json(),
    }
    value = sum(counts.values()) if counts else None
    return Reading(value, tuple(doubts), gaps, window=at - base.at, evidence=evidence)


def _beginnings(base: Base, marks: Mapping[str, Mark]) -> list[str]:
    """Say which processes began anew, or may have: counters that outlive a process keep their beginning."""
    said = []
    for name, mark in marks.items():
        before = base.marks.get(name)
        if before is None:
            said.append(f"{name} was not read before: what another of that name counted is lost")
        elif mark.started_at_s > before.started_at_s:
            last = iso(before.at)
            said.append(
                f"{name} began anew: what it counted after {last} and before its end is lost"
            )
    return said


def increment(name: str, now: Mark, base: Base) -> float | Doubt:
    """Count what a process counted since the look before.

    A process that began anew counts from zero. Where nobody can say how much is new, the answer is a
    doubt.
    """
    before = base.marks.get(name)
    if before is None:
        if now.started_at_s >= base.at.timestamp() or now.total == 0:
            return now.total
        return Doubt(Grade.AMBIGUOUS, f"{name} ran before the last look and was not read then")
    if now.started_at_s > before.started_at_s:
        return now.total
    if now.started_at_s < before.started_at_s:
        return Doubt(Grade.AMBIGUOUS, f"{name} is older than before: two processes of that name?")
    if now.total < before.total:
        return Doubt(Grade.AMBIGUOUS, f"a counter of {name} ran backwards without a restart")
    return now.total - before.total
