"""The steps of a removal: what each one locks, blocks, how long it may wait, and how it is undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.sqlgen.naming import ARCHIVE

if TYPE_CHECKING:
    from migrator.sqlgen.removal import Removal


@dataclass(frozen=True)
class Step:
    """One step, as its files' comments say it.

    Attributes:
        name: Number and word, e.g. `02_quarantine_tables`; also the files' stem.
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
QUARANTINE_TABLES = "02_quarantine_tables"
ARCHIVE_TABLES = "03_archive_tables"
DROP_TABLES = "04_drop_tables"
QUARANTINE_COLUMNS = "05_quarantine_columns"
ARCHIVE_COLUMNS = "06_archive_columns"
DROP_COLUMNS = "07_drop_columns"
NAMES = (
    GUARD,
    QUARANTINE_TABLES,
    ARCHIVE_TABLES,
    DROP_TABLES,
    QUARANTINE_COLUMNS,
    ARCHIVE_COLUMNS,
    DROP_COLUMNS,
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
    "revert/01_guard": (("ban-drop-function", "ban-drop-schema", "ban-drop-table"), _PURPOSE),
    "deploy/02_quarantine_tables": (("ban-set-schema",), _PURPOSE),
    "revert/02_quarantine_tables": (("ban-set-schema",), _PURPOSE),
    "revert/03_archive_tables": (("ban-drop-table", "ban-drop-sequence"), _PURPOSE),
    "deploy/04_drop_tables": (
        ("ban-drop-table", "ban-drop-sequence", "ban-drop-constraint"),
        _PURPOSE,
    ),
    # The tables are new in these transactions: nobody waits for an index or a check on them.
    "revert/04_drop_tables": (
        (
            "ban-set-schema",
            "adding-not-nullable-field",
            "constraint-missing-not-valid",
            "disallowed-unique-constraint",
            "require-concurrent-index-creation",
            *_OLD_TYPES,
        ),
        f"the tables are new here, nobody waits for them; {_AS_IT_WAS}",
    ),
    "deploy/05_quarantine_columns": (("renaming-column", "ban-drop-not-null"), _PURPOSE),
    "revert/05_quarantine_columns": (
        (
            "renaming-column",
            "ban-drop-constraint",
            "adding-not-nullable-field",
            "constraint-missing-not-valid",
        ),
        f"{_PURPOSE}; NOT NULL is proven by a validated check",
    ),
    "revert/06_archive_columns": (("ban-drop-table", "ban-drop-sequence"), _PURPOSE),
    "deploy/07_drop_columns": (("ban-drop-column", "ban-drop-sequence"), _PURPOSE),
    "revert/07_drop_columns": (
        (
            "renaming-column",
            "ban-drop-constraint",
            "adding-not-nullable-field",
            "constraint-missing-not-valid",
            "disallowed-unique-constraint",
            *_OLD_TYPES,
        ),
        f"NOT NULL is proven by a validated check, unique constraints take an index that is there; {_AS_IT_WAS}",
    ),
}

_ANY_TIME = "At any time; nothing is lost, a pg_dump is the same byte for byte."
_AS_LONG_AS = f"As long as the schema {ARCHIVE} holds the copy; see `exceptions` in plan.json."

_GUARD = Step(
    GUARD,
    "Makes the schemas of this removal: guard (lease, evidence, step log), quarantine and archive.",
    "None on existing objects.",
    "Nobody.",
    _ANY_TIME,
)
_TABLES = (
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
        "Blocks writes to the quarantined tables, copies them and records count and checksum.",
        "SHARE ROW EXCLUSIVE on each quarantined table for a moment (trigger), then ACCESS SHARE.",
        "Writes to these tables. From here to the end of the next step deleting a user whose rows "
        "would go by ON DELETE CASCADE fails with SQLSTATE 55000: run the next step soon.",
        "At any time; the copies are dropped, the write-block goes.",
    ),
    Step(
        DROP_TABLES,
        "Compares the tables with their archive, then drops them in one transaction.",
        "ACCESS EXCLUSIVE on the tables, on those they point to and on those that point to them, "
        "for a change of the catalog (milliseconds).",
        "Queries on these tables while the lock is waited for and held.",
        _AS_LONG_AS,
    ),
)
_COLUMNS = (
    Step(
        QUARANTINE_COLUMNS,
        "Renames the columns. Whoever still uses an old name gets SQLSTATE 42703, a cached "
        "prepared statement 0A000.",
        "ACCESS EXCLUSIVE on the users table, for a change of the catalog (milliseconds).",
        "Queries on the users table while the lock is waited for and held.",
        _ANY_TIME,
    ),
    Step(
        ARCHIVE_COLUMNS,
        "Blocks writes to the renamed columns, copies them with the primary key, records count "
        "and checksum.",
        "SHARE ROW EXCLUSIVE on the users table for a moment (trigger), then ACCESS SHARE.",
        "Updates of the quarantined columns; all other work on the table goes on.",
        "At any time; the copy is dropped, the write-block goes.",
    ),
    Step(
        DROP_COLUMNS,
        "Compares the columns with their archive, then drops them in one transaction.",
        "ACCESS EXCLUSIVE on the users table and on tables that the columns point to, for a change "
        "of the catalog (milliseconds).",
        "Queries on these tables while the lock is waited for and held.",
        _AS_LONG_AS,
    ),
)


def steps_of(removal: Removal) -> tuple[Step, ...]:
    """Give the steps that this removal needs; names stay the same when one track is empty."""
    tables = _TABLES if removal.tables else ()
    columns = _COLUMNS if removal.columns else ()
    return (_GUARD, *tables, *columns)


def exceptions(removal: Removal) -> tuple[str, ...]:
    """Give what a revert after a drop does not bring back as it was."""
    found = []
    if removal.tables:
        found.append(
            "tables: the physical order of rows, OIDs, and gaps of columns dropped before"
        )
    if removal.columns:
        found += [
            f"{removal.users.label}: the columns come back at the end of the column order",
            f"{removal.users.label}: rows written after the archive get the columns' defaults",
        ]
    if removal.columns and removal.users.triggers:
        names = ", ".join(trigger.name for trigger in removal.users.triggers)
        found.append(f"{removal.users.label}: its own triggers fire during the way back: {names}")
    return tuple(found)


def notes(removal: Removal) -> tuple[str, ...]:
    """Give what a person should look at before applying."""
    moved = [*removal.tables, *([removal.users] if removal.columns else [])]
    return tuple(
        f"function {function} names what goes from {table.label}, and may break"
        for table in moved
        for function in table.mentions
    )
