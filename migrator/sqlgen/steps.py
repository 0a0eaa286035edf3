"""The steps of a removal: what each one locks, blocks, how long it may wait, and how it is undone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.sqlgen.removal import Removal


@dataclass(frozen=True)
class Step:
    """One step, as its files' comments say it.

    Attributes:
        name: Number and word, e.g. `05_quarantine_tables`; also the files' stem.
        title: What it does.
        lock: The strongest lock and on what.
        blocks: Whom that keeps waiting.
        undo: Until when it can be undone, and what comes back.
    """

    name: str
    title: str
    lock: str
    blocks: str
    undo: str


GUARD = "01_guard"
TRIPWIRES = "02_tripwires"
REVOKE = "03_revoke"
SCREAM_WINDOW = "04_scream_window"
QUARANTINE_TABLES = "05_quarantine_tables"
ARCHIVE_TABLES = "06_archive_tables"
DRILL_TABLES = "07_drill_tables"
WRITE_BLOCK_TABLES = "08_write_block_tables"
PURGE_TABLES = "09_purge_tables"
LOOSEN_COLUMNS = "10_loosen_columns"
QUARANTINE_COLUMNS = "11_quarantine_columns"
ARCHIVE_COLUMNS = "12_archive_columns"
DRILL_COLUMNS = "13_drill_columns"
WRITE_BLOCK_COLUMNS = "14_write_block_columns"
ERASE_COLUMNS = "15_erase_columns"
PURGE_COLUMNS = "16_purge_columns"
FINALIZE = "17_finalize"

NAMES = (
    GUARD,
    TRIPWIRES,
    REVOKE,
    SCREAM_WINDOW,
    QUARANTINE_TABLES,
    ARCHIVE_TABLES,
    DRILL_TABLES,
    WRITE_BLOCK_TABLES,
    PURGE_TABLES,
    LOOSEN_COLUMNS,
    QUARANTINE_COLUMNS,
    ARCHIVE_COLUMNS,
    DRILL_COLUMNS,
    WRITE_BLOCK_COLUMNS,
    ERASE_COLUMNS,
    PURGE_COLUMNS,
    FINALIZE,
)

# After one of these nobody could sign in on the legacy side.
CLOSING = frozenset(
    {REVOKE, QUARANTINE_TABLES, PURGE_TABLES, QUARANTINE_COLUMNS, ERASE_COLUMNS, PURGE_COLUMNS}
)
PURGES = frozenset({PURGE_TABLES, PURGE_COLUMNS})
# Of several transactions, or of one that needs no undoing: half applied, their revert file takes them back.
PIECEMEAL = frozenset(
    {
        SCREAM_WINDOW,
        ARCHIVE_TABLES,
        WRITE_BLOCK_TABLES,
        ARCHIVE_COLUMNS,
        WRITE_BLOCK_COLUMNS,
        ERASE_COLUMNS,
    }
)

# Squawk cannot see the guard around a statement: what it warns of and why that is all right here.
_PURPOSE = "it is this file's purpose, behind lease, gates, evidence and a way back"
_AS_IT_WAS = "what comes back has to be as it was, old types and serial columns included"
_OLD_TYPES = (
    "prefer-timestamp-tz",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-text-field",
    "prefer-identity",
    "ban-char-field",
)
SQUAWK: dict[str, tuple[tuple[str, ...], str]] = {
    f"revert/{GUARD}": (("ban-drop-function", "ban-drop-schema", "ban-drop-table"), _PURPOSE),
    f"deploy/{QUARANTINE_TABLES}": (("ban-set-schema",), _PURPOSE),
    f"revert/{QUARANTINE_TABLES}": (("ban-set-schema",), _PURPOSE),
    f"revert/{WRITE_BLOCK_TABLES}": (("ban-drop-sequence",), _PURPOSE),
    f"deploy/{PURGE_TABLES}": (
        ("ban-drop-table", "ban-drop-sequence", "ban-drop-constraint"),
        _PURPOSE,
    ),
    # The tables are new in these transactions: nobody waits for an index or a check on them.
    f"revert/{PURGE_TABLES}": (
        (
            "ban-set-schema",
            "ban-drop-table",
            "adding-not-nullable-field",
            "constraint-missing-not-valid",
            "disallowed-unique-constraint",
            "require-concurrent-index-creation",
            *_OLD_TYPES,
        ),
        f"the tables are new here, nobody waits for them; {_AS_IT_WAS}",
    ),
    f"deploy/{LOOSEN_COLUMNS}": (("ban-drop-not-null", "ban-drop-default"), _PURPOSE),
    f"revert/{LOOSEN_COLUMNS}": (
        ("ban-drop-constraint", "adding-not-nullable-field", "constraint-missing-not-valid"),
        f"{_PURPOSE}; NOT NULL is proven by a validated check",
    ),
    f"deploy/{QUARANTINE_COLUMNS}": (("renaming-column",), _PURPOSE),
    f"revert/{QUARANTINE_COLUMNS}": (("renaming-column",), _PURPOSE),
    f"revert/{ARCHIVE_COLUMNS}": (("ban-drop-table",), _PURPOSE),
    f"revert/{WRITE_BLOCK_COLUMNS}": (("ban-drop-sequence",), _PURPOSE),
    f"revert/{ERASE_COLUMNS}": (("ban-drop-table",), _PURPOSE),
    f"deploy/{PURGE_COLUMNS}": (
        ("ban-drop-column", "ban-drop-sequence", "ban-drop-table"),
        _PURPOSE,
    ),
    f"revert/{PURGE_COLUMNS}": (
        (
            "renaming-column",
            "ban-drop-constraint",
            "ban-drop-table",
            "adding-not-nullable-field",
            "constraint-missing-not-valid",
            "disallowed-unique-constraint",
            *_OLD_TYPES,
        ),
        f"NOT NULL is proven by a validated check, unique constraints take an index that is there; {_AS_IT_WAS}",
    ),
    f"revert_in_order/{PURGE_COLUMNS}": (
        (
            "ban-drop-table",
            "ban-drop-constraint",
            "ban-drop-default",
            "ban-drop-not-null",
            "ban-set-schema",
            "renaming-column",
            "adding-not-nullable-field",
            "constraint-missing-not-valid",
            "disallowed-unique-constraint",
            "require-concurrent-index-creation",
            *_OLD_TYPES,
        ),
        f"the table is new here and locked as a whole, which is what was asked for; {_AS_IT_WAS}",
    ),
    f"deploy/{FINALIZE}": (("ban-drop-function", "ban-drop-schema", "ban-drop-table"), _PURPOSE),
}

_ANY_TIME = "At any time; nothing is lost, a pg_dump is the same byte for byte."
_AS_LONG_AS = (
    "As long as the archive's files and their private key are kept; see `exceptions` in plan.json."
)

_GUARD = Step(
    GUARD,
    "Makes the schemas of this removal: guard (lease, evidence, step log), quarantine and archive.",
    "None on existing objects.",
    "Nobody.",
    _ANY_TIME,
)
_TABLES = (
    Step(
        TRIPWIRES,
        "Ties each table to a view in the guard schema and puts a trigger before TRUNCATE: a stray DROP TABLE "
        "fails with SQLSTATE 2BP01, a TRUNCATE with 55000. DROP TABLE … CASCADE is not stopped by this.",
        "SHARE ROW EXCLUSIVE on the tables for a moment (trigger).",
        "Writes to these tables while the lock is waited for and held.",
        _ANY_TIME,
    ),
    Step(
        REVOKE,
        "Takes the tables away from the application's roles: whoever still uses them gets SQLSTATE 42501. Where one "
        "of these roles owns a table, the table goes to a guard role first; foreign keys go on working.",
        "None to revoke; ACCESS EXCLUSIVE on tables that change their owner, for a change of the catalog (milliseconds).",
        "Nobody but those roles; queries on a table that changes its owner while the lock is waited for and held.",
        _ANY_TIME,
    ),
    Step(
        SCREAM_WINDOW,
        "Waits until nobody was refused for a while: the command reads SQLSTATE 42501, 42P01, 42703 and 0A000 from the "
        "server's log, and plants a refusal of its own each time, which has to be found there.",
        "None.",
        "Nobody.",
        _ANY_TIME,
    ),
    Step(
        QUARANTINE_TABLES,
        "Moves the tables into the quarantine schema. Foreign keys, views and OIDs keep working; "
        "whoever still uses an old name gets SQLSTATE 42P01.",
        "ACCESS EXCLUSIVE on the tables themselves, for a change of the catalog (milliseconds).",
        "Queries on these tables only.",
        _ANY_TIME,
    ),
    Step(
        ARCHIVE_TABLES,
        "Writes the quarantined tables to encrypted files in one snapshot and records count and checksum.",
        "ACCESS SHARE on the quarantined tables.",
        "Nobody.",
        "At any time; the files are removed.",
    ),
    Step(
        DRILL_TABLES,
        "Restores the files into a scratch schema, compares them with the recorded count and checksum, drops the schema.",
        "None on the tables.",
        "Nobody.",
        _ANY_TIME,
    ),
    Step(
        WRITE_BLOCK_TABLES,
        "Blocks writes to the quarantined tables, then compares them with their archive in one snapshot each.",
        "SHARE ROW EXCLUSIVE on each quarantined table for a moment (trigger), then ACCESS SHARE.",
        "Writes to these tables. From here to the end of the next step deleting a user whose rows "
        "would go by ON DELETE CASCADE fails with SQLSTATE 55000: run the next step soon.",
        _ANY_TIME,
    ),
    Step(
        PURGE_TABLES,
        "Compares the tables with their archive, then drops them in one transaction.",
        "ACCESS EXCLUSIVE on the tables, on those they point to and on those that point to them, "
        "for a change of the catalog (milliseconds).",
        "Queries on these tables while the lock is waited for and held.",
        _AS_LONG_AS,
    ),
)
_COLUMNS = (
    Step(
        LOOSEN_COLUMNS,
        "Lets rows be written that no longer name the columns: NOT NULL goes where there is no default, and a default "
        "where a unique index would let it in only once.",
        "ACCESS EXCLUSIVE on the users table, for a change of the catalog (milliseconds).",
        "Queries on the users table while the lock is waited for and held.",
        _ANY_TIME,
    ),
    Step(
        QUARANTINE_COLUMNS,
        "Renames the columns. Whoever still uses an old name gets SQLSTATE 42703, a cached "
        "prepared statement 0A000, and is heard: neither values nor columns go before the scream window has passed "
        "since then, with planted refusals found in the server's log.",
        "ACCESS EXCLUSIVE on the users table, for a change of the catalog (milliseconds).",
        "Queries on the users table while the lock is waited for and held.",
        _ANY_TIME,
    ),
    Step(
        ARCHIVE_COLUMNS,
        "Writes the renamed columns with the primary key to encrypted files in one snapshot and records count and checksum.",
        "ACCESS SHARE on the users table.",
        "Nobody.",
        "At any time; the files are removed.",
    ),
    Step(
        DRILL_COLUMNS,
        "Restores the files into a scratch schema, compares them with the recorded count and checksum, drops the schema.",
        "None on the table.",
        "Nobody.",
        _ANY_TIME,
    ),
    Step(
        WRITE_BLOCK_COLUMNS,
        "Blocks writes to the renamed columns, then compares them with their archive by primary key.",
        "SHARE ROW EXCLUSIVE on the users table for a moment (trigger), then ACCESS SHARE.",
        "Updates of the quarantined columns; all other work on the table goes on.",
        _ANY_TIME,
    ),
    Step(
        PURGE_COLUMNS,
        "Compares the columns with their archive, then drops them in one transaction.",
        "ACCESS EXCLUSIVE on the users table and on tables that the columns point to, for a change "
        "of the catalog (milliseconds).",
        "Queries on these tables while the lock is waited for and held.",
        _AS_LONG_AS,
    ),
)
_ERASE = Step(
    ERASE_COLUMNS,
    "Overwrites the quarantined columns with NULL, in batches. Old versions of the rows stay in their blocks until "
    'the table is written anew (the setting erase = "rewrite" does that here), and in WAL, replicas and backups '
    "until those rotate.",
    "ROW EXCLUSIVE on the users table, rows for the time of a batch.",
    "Writers of the same rows for the time of a batch.",
    _AS_LONG_AS,
)
_ERASE_AND_REWRITE = replace(
    _ERASE,
    title="Overwrites the quarantined columns with NULL, in batches, then writes the table anew, so that no block holds "
    "the values any more. WAL, replicas and backups hold them until those rotate.",
    lock="ROW EXCLUSIVE for the batches, then ACCESS EXCLUSIVE on the users table for as long as it and its indexes "
    "are written anew: minutes, by its size.",
    blocks="All use of the users table while it is written anew.",
)
_FINALIZE = Step(
    FINALIZE,
    "Removes what the removal itself made: the guard schema and the quarantine schema. What they knew is in migrator's "
    "state and ledger.",
    "None on the application's objects.",
    "Nobody.",
    _AS_LONG_AS,
)


def steps_of(removal: Removal) -> tuple[Step, ...]:
    """Give the steps that this removal needs; names stay the same when one track is empty."""
    tables = _TABLES if removal.tables else ()
    columns: tuple[Step, ...] = _COLUMNS if removal.columns else ()
    if removal.columns and removal.rules.erase != "no":
        erase = _ERASE_AND_REWRITE if removal.rules.erase == "rewrite" else _ERASE
        columns = (*columns[:-1], erase, columns[-1])
    return (_GUARD, *tables, *columns, _FINALIZE)
