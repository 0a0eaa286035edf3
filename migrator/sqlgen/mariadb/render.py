"""Turns a removal on MariaDB into SQL files: a deploy, a revert and a verify file per step."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from migrator.core import mariadb
from migrator.core.mariadb import Places, literal, places_of
from migrator.core.sql import ident
from migrator.sqlgen import secret_columns, steps
from migrator.sqlgen.environment import environment_of
from migrator.sqlgen.mariadb.archive_plan import archive_file
from migrator.sqlgen.mariadb.steps import steps_of
from migrator.sqlgen.render import DIRECTIONS, on_one_line, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment

    from migrator.core.catalog import Constraint, Table
    from migrator.sqlgen.removal import Removal

EVENTS = ("insert", "update", "delete")
_MILLISECONDS = 1000
# What stands in for a secret, in MariaDB's words.
_STAND_INS = {
    secret_columns.NULL: "NULL",
    secret_columns.UNUSABLE: "CONCAT('$2a$12$', LEFT(HEX(RANDOM_BYTES(16)), 21), '.', REPEAT('.', 31))",
    secret_columns.RANDOM: "LOWER(HEX(RANDOM_BYTES(16)))",
}


def render(removal: Removal) -> dict[str, str]:
    """Give the text of each file by its path, e.g. `deploy/01_guard.sql`."""
    environment = _environment()
    values = _values(removal)
    return {
        f"{direction}/{step.name}.sql": environment.get_template(
            f"{direction}/{step.name}.sql.j2"
        ).render(values, step=step)
        for step in steps_of(removal)
        for direction in DIRECTIONS
    } | archive_file(removal, vars(environment.get_template("rebuild.sql.j2").module))


def wait_s(timeout_ms: int) -> int:
    """Give how long a lock is waited for: MariaDB counts whole seconds."""
    return max(1, math.ceil(timeout_ms / _MILLISECONDS))


@cache
def _environment() -> Environment:
    environment = environment_of("migrator.sqlgen.mariadb", blocks_leave_lines=True)
    environment.globals.update(
        ident=ident,
        literal=literal,
        columns=_columns,
        rejected=_rejected,
        trigger_name=_trigger_name,
        created_in=created_in,
        events=EVENTS,
        names=steps,
        stand_ins=_STAND_INS,
        column_line=_column_line,
        here=_here,
        sql_mode=mariadb.SQL_MODE,
        concat_bytes=mariadb.CONCAT_BYTES,
    )
    environment.filters.update(wrapped=wrapped, comment=on_one_line, literal=literal)
    return environment


def _values(removal: Removal) -> dict[str, Any]:
    places = places_of(removal.database)
    gone = {(table.schema, table.name) for table in removal.tables}
    return {
        "removal": removal,
        "plan_id": removal.plan_id,
        "tables": removal.tables,
        "places": places,
        "guard": ident(places.guard),
        "wait_s": wait_s(removal.locks.timeout_ms),
        "step_names": [step.name for step in steps_of(removal)],
        "keys": {t.label: [k for k in t.constraints if k.kind == "f"] for t in removal.tables},
        "block_trigger": lambda table, event: _block_trigger(places, table.name, event),
        "digest": lambda table, place: _digest(removal, table, place),
        "filled": lambda table: _filled(removal, table),
        "in_quarantine": lambda key: _moved(key, gone, places),
        "target_in_quarantine": lambda key: ident(*_target(key, gone, places)),
    }


def created_in(table: Table, place: str) -> str:
    """Give the CREATE TABLE of a table, without its foreign keys, in another database."""
    return table.definition.replace(
        f"CREATE TABLE {ident(table.name)}", f"CREATE TABLE {ident(place, table.name)}", 1
    )


def _digest(removal: Removal, table: Table, place: str) -> str:
    kept = removal.kept(table)
    columns = [(column.name, column.type) for column in table.columns if column.name in kept]
    return mariadb.digest(ident(place, table.name), columns)


def _filled(removal: Removal, table: Table) -> list[tuple[str, str]]:
    """Give each column that a row is made of, and the expression for it."""
    kept = [(name, f"t.{ident(name)}") for name in removal.kept(table)]
    # Where nothing is said the column's default stands in.
    instead = [
        (o.column, _STAND_INS[o.expression]) for o in removal.omitted(table) if o.expression
    ]
    return kept + instead


def _target(key: Constraint, gone: set[tuple[str, str]], places: Places) -> tuple[str, str]:
    schema, name = key.target
    return (places.quarantine, name) if (schema, name) in gone else (schema, name)


def _moved(key: Constraint, gone: set[tuple[str, str]], places: Places) -> str:
    there, now = ident(*key.target), ident(*_target(key, gone, places))
    return key.definition.replace(f" REFERENCES {there} ", f" REFERENCES {now} ", 1)


def _here(key: Constraint) -> str:
    """Give a foreign key to a table of the same database, whichever that is."""
    there = key.target
    return key.definition.replace(
        f" REFERENCES {ident(*there)} ", f" REFERENCES {ident(there[1])} ", 1
    )


def _column_line(table: Table, column: str) -> str:
    """Give what a CREATE TABLE says of a column: there it is a line, whatever its comment holds."""
    begin = f"  {ident(column)} "
    lines = table.definition.split("\n")
    return next(line for line in lines if line.startswith(begin)).strip().removesuffix(",")


def _columns(names: Iterable[str], alias: str = "") -> str:
    return ", ".join((f"{alias}." if alias else "") + ident(name) for name in names)


def _rejected(table: str) -> str:
    return mariadb.fitting("rejected_" + table)


def _trigger_name(table: str, event: str) -> str:
    return mariadb.fitting(f"migrator_{event}_{table}")


def _block_trigger(places: Places, table: str, event: str) -> str:
    said = f"{table} is in quarantine on its way out; next: migrator remove status"
    approved = f"{ident(places.guard, 'is_approved')}()"
    refusal = (
        f"DO NEXTVAL({ident(places.guard, _rejected(table))}); "
        f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31010, MESSAGE_TEXT = {literal(said)}; "
    )
    return (
        f"CREATE OR REPLACE TRIGGER {ident(places.quarantine, _trigger_name(table, event))} BEFORE {event.upper()} ON "
        f"{ident(places.quarantine, table)} FOR EACH ROW BEGIN "
        + (refusal if event != "delete" else f"IF NOT {approved} THEN {refusal}END IF; ")
        + "END"
    )
