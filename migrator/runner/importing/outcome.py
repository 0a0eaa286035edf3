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
        acknowledged: How many of the rejects the resolution file skips.
        unmatched: Entries of that file that fit nobody.
        accepted: There are no rejects, or all are acknowledged, or exactly these were accepted.
    """

    planned: bool
    counts: Counts
    as_of: str
    derived_ids: bool
    peppers: tuple[str, ...]
    rejects_digest: str
    rejects_file: Path
    accepted: bool
    acknowledged: int = 0
    unmatched: tuple[str, ...] = ()


def summary(outcome: Outcome) -> dict[str, Any]:
    """Give an outcome as plain data without personal values."""
    tally, notes = outcome.counts.tally, outcome.counts.notes
    return {
        "planned": outcome.planned,
        "read": tally.read,
        "imported": tally.imported,
        "linked": tally.linked,
        "already_there": tally.already_there,
        "rejected": {str(reason): count for reason, count in sorted(tally.rejected.items())},
        "acknowledged": outcome.acknowledged,
        "unmatched_resolutions": len(outcome.unmatched),
        "pinned": {str(reason): count for reason, count in sorted(notes.pinned.items())},
        "notes": {str(note): count for note, count in sorted(notes.notes.items())},
        "banned": notes.banned,
        "roles": dict(sorted(outcome.counts.roles.items())),
        "unknown_roles": dict(sorted(outcome.counts.unknown_roles.items())),
        "ids": "derived" if outcome.derived_ids else "legacy",
        "peppers": list(outcome.peppers),
        "as_of": outcome.as_of,
        "rejects_digest": outcome.rejects_digest,
        "rejects_accepted": outcome.accepted,
    }
