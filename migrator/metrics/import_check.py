"""Reads from the ledger what the newest `import verify` found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.metrics.both_sides import ImportLook
from migrator.metrics.interface import Doubt, Grade

if TYPE_CHECKING:
    from migrator.core.clock import Clock
    from migrator.state.ledger import Entry, Ledger

SUBJECT, VERIFY = "import", "verify"
WRITES = frozenset({"run", "rollback"})
GOOD_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class ImportCheck:
    """The ledger as a source: a check counts only if nothing was written after it began."""

    ledger: Ledger
    clock: Clock

    def look(self) -> ImportLook:
        """Find the newest check and what speaks against relying on it."""
        entries = self.ledger.entries(subject=SUBJECT)
        outcomes = [e for e in entries if e.action == VERIFY and e.kind == "outcome"]
        if not outcomes:
            return _doubted(Grade.NO_DATA, "never verified: migrator import verify")
        check = outcomes[-1]
        writes = [e for e in entries if e.action in WRITES]
        if any(write.seq > (check.intent or check.seq) for write in writes):
            return _doubted(Grade.STALE, "the import wrote after it was verified: verify it again")
        if any(e.subject == SUBJECT and e.action in WRITES for e in self.ledger.pending()):
            return _doubted(Grade.UNPROVEN, "an import is unfinished: migrator import run")
        if self.clock.now() - parse_iso(check.at) > GOOD_FOR:
            return _doubted(Grade.STALE, f"verified at {check.at}, more than 24 h ago")
        return _found(check)


def _found(check: Entry) -> ImportLook:
    differences = check.body.get("differences")
    if isinstance(differences, int) and differences >= 0:
        return ImportLook(differences, parse_iso(check.at))
    reason = check.body.get("error", "it names no number of differences")
    return _doubted(Grade.ERROR, f"the last import verify did not finish: {reason}")


def _doubted(grade: Grade, reason: str) -> ImportLook:
    return ImportLook(doubts=(Doubt(grade, reason),))
