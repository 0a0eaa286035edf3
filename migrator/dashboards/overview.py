"""Everything that the page and the saved report show, as values."""

from __future__ import annotations

from dataclasses import dataclass

# Types are read at run time, by whatever reads a kept list.
from datetime import datetime  # noqa: TC003
from typing import TYPE_CHECKING

from migrator.dashboards.drain_picture import HomesRow  # noqa: TC001

if TYPE_CHECKING:
    from migrator.dashboards.drain_picture import DrainPicture

REMOVED = "removed"


@dataclass(frozen=True)
class PhaseRow:
    """One phase as `migrator status` says it; a phase is done when no command follows."""

    name: str
    state: str
    held: tuple[str, ...]
    next_command: str


@dataclass(frozen=True)
class MoveRow:
    """One move of the stage.

    Attributes:
        result: `published`, `not published`, or `unfinished` while no outcome is known.
    """

    at: datetime
    action: str
    before: str
    after: str
    result: str


@dataclass(frozen=True)
class SideRow:
    """Whether the two sides agree in one respect.

    Attributes:
        words: What is known, or why nothing is.
        at: When that was found; None while unknown.
    """

    name: str
    words: str
    known: bool
    at: datetime | None


@dataclass(frozen=True)
class EntryRow:
    """One entry of the ledger."""

    seq: int
    at: datetime
    what: str
    kind: str
    result: str
    hash: str


@dataclass(frozen=True)
class LedgerRow:
    """The record's end, and whether the whole of it held when it was last checked.

    Attributes:
        faults: What is wrong with it; None while it was not checked.
        checked_to: The entry up to which it was checked.
    """

    length: int
    head: str
    entries: tuple[EntryRow, ...]
    faults: tuple[str, ...] | None
    checked_at: datetime | None
    checked_to: int


@dataclass(frozen=True)
class EvidenceRow:
    """What a verdict rests on: SHA-256 of the gate as it is written and of its samples."""

    gate: str
    state: str
    spec_hash: str
    evidence_hash: str
    samples: int


@dataclass(frozen=True)
class PersonRow:
    """Somebody who is left, masked."""

    user: str
    email: str
    why: str


@dataclass(frozen=True)
class LeftRow:
    """The first of one kind who are left.

    Attributes:
        todo: What to do about all of that kind.
        more: There are others: `migrator drain who` lists them.
    """

    kind: str
    todo: str
    people: tuple[PersonRow, ...]
    more: bool


@dataclass(frozen=True)
class LeftList:
    """Who is left, by kind.

    Attributes:
        at: When they were listed.
        of_each: How many of each kind at most.
        homes: All users by home and by when they were last seen, counted at the same time.
        doubt: Why they are not known; empty when they are.
    """

    at: datetime
    kinds: tuple[LeftRow, ...] = ()
    doubt: str = ""
    of_each: int = 5
    homes: HomesRow | None = None


@dataclass(frozen=True)
class Overview:
    """One reading of the state.

    Attributes:
        at: When the state was read.
        looked_at: When somebody measured last; None when nobody ever did.
        late: Whether that is so long ago that nothing measured says anything of now.
        left: None while nobody ever listed them.
        lost: Why the state cannot be read now; everything else is from before then.
        lost_since: When that was noticed.
    """

    at: datetime
    picture: DrainPicture
    looked_at: datetime | None
    late: bool
    phases: tuple[PhaseRow, ...]
    moves: tuple[MoveRow, ...]
    sides: tuple[SideRow, ...]
    ledger: LedgerRow
    evidence: tuple[EvidenceRow, ...]
    left: LeftList | None = None
    lost: str = ""
    lost_since: datetime | None = None

    @property
    def next_command(self) -> str:
        """Give the command that `migrator status` names; empty when nothing is left to do."""
        return next((row.next_command for row in self.phases if row.next_command), "")

    @property
    def stage(self) -> str:
        """Give the stage's word alone, or `removed` after all of them."""
        if self.phases and not self.phases[-1].next_command:
            return REMOVED
        return self.picture.stage.partition(" ")[0] if self.picture.epoch else ""

    @property
    def unknown(self) -> str:
        """Say why nothing that was measured may be relied on now; empty when it may."""
        if self.lost:
            return self.lost
        if self.stage == REMOVED:
            return ""
        if self.looked_at is None:
            return "Nobody has looked yet."
        return "Nobody has looked for a while." if self.late else ""

    @property
    def decision(self) -> str:
        """Give what all gates of the step mean together; no gate holds, and so does an unread state."""
        if self.lost:
            return "UNKNOWN"
        if self.stage == REMOVED:
            return REMOVED.upper()
        states = {row.state for row in self.picture.gates}
        if "FAILED" in states:
            return "FAILED"
        if len(states) == 1:
            return states.pop()
        if states and states <= {"PASSED", "OVERRIDDEN"}:
            return "OVERRIDDEN"
        accumulating = bool(states) and states <= {"PASSED", "ACCUMULATING"}
        return "ACCUMULATING" if accumulating else "HELD"
