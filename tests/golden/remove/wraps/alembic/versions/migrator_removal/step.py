"""Runs one file of the removal 0123456789abcdef, part by part.

A part that the guard schema knows to be done is left out, so an interrupted migration is run again.
The SQL asks for the gates' evidence itself and refuses without.
"""

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "sql"
UNIT = re.compile(r"^-- (unit|always): (\w+)\n", re.MULTILINE)


def run_step(cursor, step, direction):
    """Apply a step (`deploy`) or take it back (`revert`).

    `cursor` is a DBAPI cursor of psycopg, on a connection in autocommit.
    """
    if settled(cursor, step, direction):
        return
    try:
        if guarded(cursor):
            cursor.execute("SELECT migrator_guard.lease_by_hand('alembic')")
        done = done_units(cursor, step, direction)
        text = (FOLDER / direction / f"{step}.sql").read_text(encoding="utf-8")
        parts = UNIT.split(text)[1:]
        for kind, name, sql in zip(parts[::3], parts[1::3], parts[2::3]):
            if kind == "always" or name not in done:
                run_unit(cursor, sql)
    finally:
        if guarded(cursor):
            cursor.execute("SELECT migrator_guard.lease_back()")


def run_unit(cursor, sql):
    """Run what is one transaction, or one statement that must not be in one."""
    try:
        cursor.execute(sql)
    except Exception:
        # Else whatever is said next on this connection would hide the reason.
        cursor.execute("ROLLBACK")
        raise


def guarded(cursor):
    """Tell whether the guard schema is there."""
    cursor.execute("SELECT to_regclass('migrator_guard.step') IS NOT NULL")
    return cursor.fetchone()[0]


def settled(cursor, step, direction):
    """Tell whether there is nothing to do."""
    if not guarded(cursor):
        return direction == "revert" and untouched(cursor)
    cursor.execute("SELECT state FROM migrator_guard.step WHERE step = %s", [step])
    row = cursor.fetchone()
    return row is not None and row[0] == ("applied" if direction == "deploy" else "pending")


def untouched(cursor):
    """Without the guard schema nothing was begun, or all of it is finished."""
    cursor.execute("SELECT to_regclass('\"public\".\"#{exit}\"') IS NOT NULL")
    if cursor.fetchone()[0]:
        return True
    raise RuntimeError(
        "the removal is finished: only migrator knows the way back; "
        "migrator remove revert --to 16_purge_columns, then the same again"
    )


def done_units(cursor, step, direction):
    """Give the parts that are done."""
    if not guarded(cursor):
        return set()
    query = "SELECT unit FROM migrator_guard.unit WHERE step = %s AND direction = %s"
    cursor.execute(query, [step, direction])
    return {row[0] for row in cursor.fetchall()}
