"""What processes wrote down of themselves, put beside what was read of them.

A process that counts in memory writes a row before it accepts anything, and its last counts into it when it
ends by itself. So one that ended by itself counts in full, whoever read it when; one that was killed is
noticed by a row without an end, even if nobody ever read it. All times are the database's.

A process of an older shim writes none. It is noticed by its heartbeats, unless it comes and goes unread while one
that is written down serves under the same name.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.core.clock import iso
from migrator.metrics.interface import Doubt, Grade
from migrator.metrics.register import SETTLES, Key, Known, Register

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from migrator.metrics.base import Base, Mark
    from migrator.metrics.interface import FleetLook, Process, WrittenProcess

# Shims delete rows that are some days older than this.
READ_AGAIN_WITHIN = timedelta(days=9)
# What is written is there to be read after so long at most.
_VISIBLE_WITHIN = timedelta(seconds=10)
_CLOSED = Doubt(
    Grade.UNPROVEN, "migrator_process was read before and cannot be now: let our role SELECT there"
)


@dataclass(frozen=True)
class Written:
    """What the rows say of a look.

    Attributes:
        names: Instances whose processes are all written down since the look before: each that is read or gone is
            judged here, and by nobody else.
        counts: What is new of each process.
        lost: What ended without a word.
        register: For the next look.
    """

    names: frozenset[str] = frozenset()
    counts: Mapping[str, float] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    lost: tuple[str, ...] = ()
    register: Register | None = None


def written(
    base: Base | None,
    marks: Mapping[str, Mark],
    fleet: FleetLook,
    *,
    total: Callable[[Process], float],
    within: timedelta,
) -> Written:
    """Judge the processes that wrote themselves down.

    Args:
        base: The look before.
        marks: Of the processes that were read now, before the rows were.
        fleet: Who reports, and the rows.
        total: What a gate counts of a process.
        within: After what silence an instance counts as gone.
    """
    before = base.register if base is not None else None
    if fleet.processes is None or fleet.at is None:
        return Written(doubts=() if before is None else (_CLOSED,), register=before)
    look = _Look(base, marks, fleet, fleet.processes, fleet.at, total, within)
    if before is None or fleet.at - before.at > READ_AGAIN_WITHIN:
        return Written(register=look.register())
    return look.judged(before)


@dataclass(frozen=True)
class _Look:
    base: Base | None
    marks: Mapping[str, Mark]
    fleet: FleetLook
    rows: tuple[WrittenProcess, ...]
    at: datetime
    total: Callable[[Process], float]
    within: timedelta
    of_name: Mapping[str, list[WrittenProcess]] = field(init=False)

    def __post_init__(self) -> None:
        found: defaultdict[str, list[WrittenProcess]] = defaultdict(list)
        for row in self.rows:
            found[row.instance].append(row)
        object.__setattr__(self, "of_name", found)

    def judged(self, before: Register) -> Written:
        """Count what is new since a look whose rows are known."""
        names = frozenset(name for name in self.of_name if self._tells_all(name))
        counts: dict[str, float] = {}
        doubts: list[Doubt] = []
        lost = [said for name in sorted(names) for said in self._strangers(name, before)]
        for row in self.rows:
            now = self._total_now(row)
            if before.has_settled(row) and (row.is_whole or now is None):
                continue
            if row.instance not in names and now is not None and not row.is_whole:
                # Of a name that is not written down throughout, what is read now is compared as ever.
                continue
            if now is not None:
                answer = _increment(row, now, self._total_before(row, before))
                if isinstance(answer, Doubt):
                    doubts.append(answer)
                elif answer or not row.is_whole:
                    counts[self._called(row)] = answer
            elif self._is_gone(row):
                lost.append(f"{row.instance} is gone: what it counted last is lost")
            else:
                doubts.append(_not_yet(row))
        return Written(names, counts, tuple(doubts), tuple(lost), self.register(before))

    def register(self, before: Register | None = None) -> Register:
        """Remember what may still change."""
        known = {}
        for row in self.rows:
            now, last = self._total_now(row), None
            is_gone = now is None and self._is_gone(row)
            if before is not None:
                last = self._total_before(row, before)
                is_gone |= now is None and before.has_settled(row)
            entry = Known(last if now is None else now, is_gone)
            is_over = row.is_whole or entry.is_gone
            if not is_over or max(row.began_at, row.ended_at or row.began_at) > self.at - SETTLES:
                known[Key(row.instance, row.started_at_s)] = entry
        return Register(self.at, known)

    def _tells_all(self, name: str) -> bool:
        """Tell whether both the process that is read now and the one that was are among the rows."""
        starts = {row.started_at_s for row in self.of_name[name]}
        before = self.base.marks.get(name) if self.base is not None else None
        return all(
            mark is None or mark.started_at_s in starts for mark in (self.marks.get(name), before)
        )

    def _total_now(self, row: WrittenProcess) -> float | None:
        if row.is_whole and row.final is not None:
            return self.total(row.final)
        mark = self.marks.get(row.instance)
        return mark.total if mark is not None and mark.started_at_s == row.started_at_s else None

    def _total_before(self, row: WrittenProcess, before: Register) -> float | None:
        known = before.total_of(row)
        mark = self.base.marks.get(row.instance) if self.base is not None else None
        if mark is None or mark.started_at_s != row.started_at_s:
            return known
        # The rows may not have been there at the look before, when it was read.
        return mark.total if known is None else max(known, mark.total)

    def _called(self, row: WrittenProcess) -> str:
        mark = self.marks.get(row.instance)
        if mark is not None and mark.started_at_s == row.started_at_s:
            return row.instance
        return f"{row.instance} of {iso(row.began_at)}"

    def _is_gone(self, row: WrittenProcess) -> bool:
        """Tell whether a process that was not read and has no end will have none."""
        return self.at - row.seen_at > self.within

    def _strangers(self, name: str, before: Register) -> list[str]:
        """Say when something of a name was heard of that is none of those written down."""
        rows = self.of_name[name]
        signs = {row.heard_at for row in rows}
        signs |= {beat.seen_at for beat in self.fleet.heartbeats if beat.instance == name}
        since = before.at - _VISIBLE_WITHIN
        return [
            f"{name} was heard of at {iso(at)} and is not written down: what it counted is lost"
            for at in sorted(sign for sign in signs if sign is not None and sign > since)
            if not any(_lived(row, at, before) for row in rows)
        ]


def _lived(row: WrittenProcess, at: datetime, before: Register) -> bool:
    """Tell whether a process may have been heard of then; one whose loss was told, until that was told."""
    is_gone = not row.is_whole and before.has_settled(row)
    until = before.at if is_gone else row.ended_at
    return row.began_at < at and (until is None or at <= until)


def _increment(row: WrittenProcess, now: float, before: float | None) -> float | Doubt:
    name = row.instance
    if before is None and now > 0:
        return Doubt(Grade.AMBIGUOUS, f"{name} ran before the last look and was not read then")
    if before is not None and now < before:
        return Doubt(Grade.AMBIGUOUS, f"a counter of {name} ran backwards without a restart")
    return now - (before or 0)


def _not_yet(row: WrittenProcess) -> Doubt:
    reason = f"{row.instance} of {iso(row.began_at)} was not read and has not ended yet"
    return Doubt(Grade.UNPROVEN, reason)
