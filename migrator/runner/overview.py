"""Reads all that the page shows out of the state, again and again, and says when the state is away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.core.durations import format_duration
from migrator.core.errors import MigratorError
from migrator.dashboards.overview import (
    EntryRow,
    LedgerRow,
    MoveRow,
    Overview,
    PhaseRow,
    SideRow,
)
from migrator.metrics.import_check import ImportCheck
from migrator.metrics.sync_check import SyncCheck
from migrator.metrics.write_back_check import WriteBackCheck
from migrator.runner.gating.keeping import recall_left
from migrator.runner.gating.picture import Recalled, unseen
from migrator.runner.stages import ROLLBACK, SET, SUBJECT, read_position
from migrator.state.ledger import MERGE, read_branch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from migrator.metrics.both_sides import ImportLook, SyncLook, WriteBackLook
    from migrator.metrics.interface import Doubt
    from migrator.runner.context import Context
    from migrator.runner.standing import Standing
    from migrator.state.ledger import Entry

SHOWN_ENTRIES = 8
LATE_LOOKS, SHORTEST_LATE = 3, timedelta(minutes=2)
PASS_GOOD_FOR = timedelta(minutes=10)
CHECK_EVERY = timedelta(minutes=1)
NOT_CHECKED = LedgerRow(0, "", (), None, None, 0)


@dataclass
class Reader:
    """Reads for as long as a page is open.

    Attributes:
        recall: Gives the drain's picture.
        standings: Give where each phase stands, by its name.
    """

    ctx: Context
    recall: Callable[[], Recalled]
    standings: Callable[[], Mapping[str, Standing]]
    _last: Overview | None = field(default=None, init=False)
    _ledger: LedgerRow = field(default=NOT_CHECKED, init=False)

    def read(self) -> Overview:
        """Read once. A state that is away is said to be so, beside what was read of it last."""
        try:
            self._last = self._read()
        except MigratorError as error:
            self._last = self.lost(error.message)
        finally:
            self.ctx.state.let_go()
        return self._last

    def late(self) -> Overview:
        """Say that the state has not answered."""
        return self.lost("the state does not answer")

    def lost(self, why: str) -> Overview:
        """Say why nothing can be read now."""
        now = self.ctx.clock.now()
        last = self._last or Overview(
            at=now,
            picture=unseen(self.ctx),
            looked_at=None,
            late=False,
            phases=(),
            moves=(),
            sides=(),
            ledger=NOT_CHECKED,
            evidence=(),
        )
        return replace(last, lost=why, lost_since=last.lost_since or now)

    def _read(self) -> Overview:
        ctx, now = self.ctx, self.ctx.clock.now()
        picture, looked_at = self.recall()
        patience = max(LATE_LOOKS * ctx.config.drain.interval, SHORTEST_LATE)
        return Overview(
            at=now,
            picture=picture,
            looked_at=looked_at,
            late=looked_at is not None and now - looked_at > patience,
            phases=tuple(
                PhaseRow(name, found.state, found.held, found.next_command)
                for name, found in self.standings().items()
            ),
            moves=tuple(moves_of(ctx.state.ledger.entries(subject=SUBJECT))),
            sides=sides_of(ctx),
            ledger=self._checked(now),
            evidence=(),
            left=recall_left(ctx),
        )

    def _checked(self, now: datetime) -> LedgerRow:
        """Give the ledger's end; the whole chain is checked once a minute at most, and when it grew."""
        ledger, before = self.ctx.state.ledger, self._ledger
        head, length = ledger.head()
        rows = tuple(_entry(entry) for entry in ledger.entries(last=SHOWN_ENTRIES))
        fresh = replace(before, length=length, head=head, entries=rows)
        due = before.checked_at is None or now - before.checked_at >= CHECK_EVERY
        if due and (head, length) != (before.head, before.checked_to):
            document = self.ctx.state.checkpoints.get(SUBJECT, "document")
            known = (document["ledger_head"], document["ledger_length"]) if document else None
            faults = tuple(ledger.verify(known_head=known))
            fresh = replace(fresh, faults=faults, checked_at=now, checked_to=length)
        self._ledger = fresh
        return fresh


def moves_of(entries: Sequence[Entry]) -> Iterator[MoveRow]:
    """Give the moves of the stage, those that were spooled while the state was away among them."""
    every = [*_flat(entries)]
    results = {entry.intent: str(entry.body.get("result", "")) for entry in every if entry.intent}
    for entry in every:
        if entry.kind == "intent" and entry.action in {SET, ROLLBACK}:
            yield MoveRow(
                parse_iso(entry.at),
                entry.action,
                str(read_position(entry.body["before"])),
                str(read_position(entry.body["after"])),
                results.get(entry.seq, "unfinished"),
            )


def _flat(entries: Sequence[Entry]) -> Iterator[Entry]:
    for entry in entries:
        yield from read_branch(entry.body).entries if entry.action == MERGE else (entry,)


def sides_of(ctx: Context) -> tuple[SideRow, ...]:
    """Say whether the two sides agree: the import's last comparison, the sync, the write-back."""
    checkpoints, clock = ctx.state.checkpoints, ctx.clock
    return (
        _compared(ImportCheck(ctx.state.ledger, clock).look()),
        _synced(SyncCheck(checkpoints, clock).look(), clock.now()),
        _written_back(WriteBackCheck(checkpoints, clock).look(), clock.now()),
    )


def _compared(found: ImportLook) -> SideRow:
    if found.differences is None:
        return _unknown("import", found.doubts)
    words = f"{found.differences:,} differences in all fields of all users"
    return _side("import", words, found.at)


def _synced(found: SyncLook, now: datetime) -> SideRow:
    if found.at is None or found.seconds is None:
        return _unknown("sync to Auther", found.doubts)
    behind = f"{found.rows or 0:,} rows and {_then(found.seconds, found.at, now)} behind"
    words = f"{behind}, {found.quarantined:,} users in quarantine"
    return _pass("sync to Auther", words, found.at, now)


def _written_back(found: WriteBackLook, now: datetime) -> SideRow:
    if found.at is None or found.seconds is None:
        return _unknown("write-back", found.doubts)
    who = f"{found.open_users or 0:,} users could not sign in as usual after a rollback"
    words = f"{_then(found.seconds, found.at, now)} behind; {who}"
    return _pass("write-back", words, found.at, now)


def _then(seconds: float, at: datetime, now: datetime) -> str:
    """Say how far behind a pass left a side; how long ago that was is said beside it."""
    return format_duration(timedelta(seconds=seconds) - (now - at))


def _pass(name: str, words: str, at: datetime, now: datetime) -> SideRow:
    if now - at > PASS_GOOD_FOR:
        return SideRow(name, f"No pass since; then: {words}.", known=False, at=at)
    return _side(name, words, at)


def _side(name: str, words: str, at: datetime | None) -> SideRow:
    return SideRow(name, words, known=True, at=at)


def _unknown(name: str, doubts: Sequence[Doubt]) -> SideRow:
    reasons = "; ".join(doubt.reason for doubt in doubts)
    return SideRow(name, reasons or "nothing was read", known=False, at=None)


def _entry(entry: Entry) -> EntryRow:
    body = entry.body
    result = str(body.get("result") or body.get("state") or "")
    what = f"{entry.subject} {entry.action}"
    return EntryRow(entry.seq, parse_iso(entry.at), what, entry.kind, result, entry.hash)
