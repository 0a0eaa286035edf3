"""Reads from the ledger what became of the canaries: passwords that their owners gave us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.metrics.import_check import SUBJECT, WRITES
from migrator.metrics.interface import FactLook, Grade, no_fact

if TYPE_CHECKING:
    from migrator.core.clock import Clock
    from migrator.state.ledger import Ledger

PROVE = "prove"
COMMAND = "migrator import prove canaries.csv"
GOOD_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class CanaryCheck:
    """The ledger as a source: a proof counts only if nothing was written after it."""

    ledger: Ledger
    clock: Clock

    def look(self) -> FactLook:
        """Give the number of canaries that would not sign in."""
        proof = self.ledger.latest(SUBJECT, PROVE, kind="note")
        if proof is None:
            return no_fact(Grade.NO_DATA, f"no canary was tried: {COMMAND}")
        writes = [e for e in self.ledger.entries(subject=SUBJECT) if e.action in WRITES]
        if writes and writes[-1].seq > proof.seq:
            return no_fact(
                Grade.STALE, f"the import wrote after the canaries were tried: {COMMAND}"
            )
        at = parse_iso(proof.at)
        if self.clock.now() - at > GOOD_FOR:
            return no_fact(Grade.STALE, f"tried at {proof.at}, more than 24 h ago: {COMMAND}")
        canaries, failed = proof.body.get("canaries"), proof.body.get("failed")
        if not isinstance(canaries, int) or not isinstance(failed, int) or canaries < 1:
            return no_fact(Grade.AMBIGUOUS, "the last proof names no canaries")
        return FactLook(float(failed), at, evidence={"canaries": canaries})
