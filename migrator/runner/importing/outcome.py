"""What became of all users in a run of the import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.importing.importer import Counts


@dataclass(frozen=True)
class Outcome:
    """What became of all users, or would become.

    Attributes:
        planned: Nothing was written.
        as_of: The time at which locks are judged, ISO 8601 UTC.
        derived_ids: Ids are derived from integer keys; otherwise the legacy key is the id.
        rejects_digest: SHA-256 of the rejected ids and reasons.
        accepted: There are no rejects, or exactly these were acknowledged.
    """

    planned: bool
    counts: Counts
    as_of: str
    derived_ids: bool
    peppers: tuple[str, ...]
    rejects_digest: str
    rejects_file: Path
    accepted: bool


def summary(outcome: Outcome) -> dict[str, Any]:
    """Give an outcome as plain data without personal values."""
    tally, notes = outcome.counts.tally, outcome.counts.notes
    return {
        "planned": outcome.planned,
        "read": tally.read,
        "imported": tally.imported,
        "already_there": tally.already_there,
        "rejected": {str(reason): count for reason, count in sorted(tally.rejected.items())},
        "pinned": {str(reason): count for reason, count in sorted(notes.pinned.items())},
        "notes": {str(note): count for note, count in sorted(notes.notes.items())},
        "banned": notes.banned,
        "ids": "derived" if outcome.derived_ids else "legacy",
        "peppers": list(outcome.peppers),
        "as_of": outcome.as_of,
        "rejects_digest": outcome.rejects_digest,
        "rejects_accepted": outcome.accepted,
    }
