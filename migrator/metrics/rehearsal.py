"""Reads from the ledger how often the stage was taken back in this migration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.metrics.interface import FactLook
from migrator.state.ledger import MERGE

if TYPE_CHECKING:
    from migrator.state.ledger import Entry, Ledger

SUBJECT, ROLLBACK, PUBLISHED = "stage", "rollback", "published"


@dataclass(frozen=True)
class Rehearsal:
    """The ledger as a source; a rollback that did not get out rehearses nothing."""

    ledger: Ledger

    def look(self) -> FactLook:
        """Count the rollbacks that were published, those without the state included."""
        entries = self.ledger.entries(subject=SUBJECT)
        found = [entry for entry in entries if _times(entry)]
        newest = parse_iso(found[-1].at) if found else None
        return FactLook(float(sum(map(_times, found))), newest)


def _times(entry: Entry) -> int:
    if entry.action == MERGE:
        return int(entry.body.get("undone", 0))
    return int(entry.action == ROLLBACK and entry.body.get("result") == PUBLISHED)
