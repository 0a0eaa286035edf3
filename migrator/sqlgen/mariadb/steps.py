"""The steps of a removal on MariaDB, under the numbers that they have everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sqlgen import steps
from migrator.sqlgen.steps import Step

if TYPE_CHECKING:
    from migrator.sqlgen.removal import Removal

_ANY_TIME = "At any time; nothing is lost, SHOW CREATE TABLE and all rows are the same."
_AS_LONG_AS = (
    "As long as the archive's files and their private key are kept; see `exceptions` in plan.json."
)
_STEPS = (
    Step(
        steps.GUARD,
        "Makes the databases of this removal beside the application's: guard (lease, evidence, step log), quarantine and archive.",
        "None on existing objects.",
        "Nobody.",
        _ANY_TIME,
    ),
    Step(
        steps.QUARANTINE_TABLES,
        "Moves the tables into the quarantine database by one RENAME TABLE. Foreign keys follow; whoever still uses an old name "
        "gets error 1146, which MariaDB writes to no log of its own.",
        "An exclusive metadata lock on the tables, for a change of the catalog (milliseconds).",
        "Queries on these tables while the lock is waited for and held.",
        _ANY_TIME,
    ),
    Step(
        steps.ARCHIVE_TABLES,
        "Writes the quarantined tables to encrypted files in one snapshot and records count and checksum.",
        "Metadata locks of a reader on the quarantined tables.",
        "Nobody.",
        "At any time; the files are removed.",
    ),
    Step(
        steps.DRILL_TABLES,
        "Restores the files into a scratch database, compares them with the recorded count and checksum, drops that database.",
        "None on the tables.",
        "Nobody.",
        _ANY_TIME,
    ),
    Step(
        steps.WRITE_BLOCK_TABLES,
        "Blocks writes to the quarantined tables by triggers and takes their foreign keys away, since cascades pass triggers by; "
        "then compares the tables with their archive in one snapshot.",
        "An exclusive metadata lock on each quarantined table for a moment (trigger, foreign key).",
        "Writes to these tables. A user who is deleted from here on leaves rows behind in them, which a revert lists.",
        "At any time. Foreign keys come back unchecked, rows that point to nothing are listed.",
    ),
    Step(
        steps.PURGE_TABLES,
        "Compares the tables with their archive, then drops them in one statement.",
        "An exclusive metadata lock on the tables, until their files are gone: by their size.",
        "Nobody: nothing else may use them.",
        _AS_LONG_AS,
    ),
    Step(
        steps.FINALIZE,
        "Removes what the removal itself made: the databases guard, quarantine and archive. What they knew is in migrator's state "
        "and ledger.",
        "None on the application's objects.",
        "Nobody.",
        _AS_LONG_AS,
    ),
)


def steps_of(_removal: Removal) -> tuple[Step, ...]:
    """Give the steps that this removal needs."""
    return _STEPS
