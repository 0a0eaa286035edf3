"""Names that the removal gives: PostgreSQL cuts identifiers at 63 bytes, silently."""

from __future__ import annotations

from hashlib import sha256

GUARD = "migrator_guard"
QUARANTINE = "migrator_quarantine"
ARCHIVE = "migrator_archive"
SCHEMAS = (GUARD, QUARANTINE, ARCHIVE)
BLOCK_TRIGGER = "migrator_guard_block"
TRUNCATE_TRIGGER = "migrator_guard_truncate"
ROW_NUMBER = "migrator_row"
COLUMN_PREFIX = "migrator_q_"
MAX_BYTES = 63
_HASH_CHARACTERS = 8


def quarantined(column: str) -> str:
    """Give a column's name while it is in quarantine."""
    return fitting(COLUMN_PREFIX + column)


def row_hashes(table: str) -> str:
    """Give the table of the guard schema with a hash per archived row of a table that stays."""
    return fitting("rows_" + table)


def fitting(name: str) -> str:
    """Cut a name to 63 bytes of UTF-8; what is cut off is replaced by a hash of the whole."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    tail = "_" + sha256(name.encode()).hexdigest()[:_HASH_CHARACTERS]
    head = name.encode()[: MAX_BYTES - len(tail)].decode(errors="ignore")
    return head + tail
