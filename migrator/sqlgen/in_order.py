"""The other way back of the purge of columns: the users table is written anew, with each column in its old place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.sqlgen import steps
from migrator.sqlgen.rewriting import ROWS_PER_S, seconds
from migrator.sqlgen.secret_columns import NULL, blank_password

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.core.catalog import Column, Constraint, InboundKey
    from migrator.sqlgen.removal import Removal
    from migrator.sqlgen.steps import Step

FOLDER = "revert_in_order"
FILE = f"{FOLDER}/{steps.PURGE_COLUMNS}.sql"
REBUILD = "rebuild"


@dataclass(frozen=True)
class Filling:
    """What a column that comes back gets, as SQL.

    Attributes:
        value: Where the row was archived; `u` is the row that stayed, `a` the archived one.
        later: Where it was written afterwards.
    """

    column: Column
    value: str
    later: str


def step_of(removal: Removal) -> Step:
    """Give what the file's comments say."""
    label, others = removal.users.label, [".".join(name) for name in tied(removal)]
    locked = f"{label}{' and, NOWAIT, on ' + ', '.join(others) if others else ''}"
    purge = next(step for step in steps.steps_of(removal) if step.name == steps.PURGE_COLUMNS)
    return replace(
        purge,
        title=f"Takes this step back by writing {label} anew, each column in its old place, instead of adding the "
        "columns at its end. The table gets another OID. Only by `migrator remove revert --preserve-order`.",
        lock=f"ACCESS EXCLUSIVE on {locked}, in one transaction, for as long as {removal.users.rows} rows and their "
        f"indexes are written: about {seconds(removal.users)} s at {ROWS_PER_S} rows per second. Twice the table's size is "
        "needed on the disk, and as much WAL is written.",
        blocks="All use of these tables, reading too, for that long. Afterwards foreign keys are checked beside the "
        "traffic.",
    )


def own_keys(removal: Removal) -> tuple[Constraint, ...]:
    """Give the users table's foreign keys, without those to tables that go: these bring them back themselves."""
    return tuple(
        k for k in removal.users.constraints if k.kind == "f" and k.target not in _dropped(removal)
    )


def inbound_keys(removal: Removal) -> tuple[InboundKey, ...]:
    """Give the foreign keys of tables that stay and point to the users."""
    return tuple(k for k in removal.users.inbound if (k.schema, k.table) not in _dropped(removal))


def tied(removal: Removal) -> list[tuple[str, ...]]:
    """Give the tables that a foreign key ties to the users table, by name."""
    users = (removal.users.schema, removal.users.name)
    names = {k.target for k in own_keys(removal)}
    names |= {(k.schema, k.table) for k in inbound_keys(removal)}
    return sorted(names - {users})


def _dropped(removal: Removal) -> set[tuple[str, ...]]:
    return {(table.schema, table.name) for table in removal.tables}


def fillings(removal: Removal, defaulted: list[Column]) -> tuple[Filling, ...]:
    """Give what each column that comes back is filled with; nothing where its values were erased before it went.

    Args:
        removal: What comes back.
        defaulted: The columns that had kept their default until the purge.
    """
    if removal.rules.erase != "no":
        return ()
    omitted = {o.column: o.expression for o in removal.omitted(removal.users)}
    found = []
    for column in removal.columns:
        default = column.default if column in defaulted else NULL
        archived = omitted.get(column.name)
        found.append(Filling(column, archived or default, blank_password(column) or default))
    return tuple(found)


def staying_parts(removal: Removal) -> tuple[str, ...]:
    """Give all parts of the users table that are there once the columns have gone, one line each, as the file's query does."""
    return tuple(sorted(_staying(removal)))


def _staying(removal: Removal) -> Iterator[str]:
    users, gone = removal.users, set(removal.names)
    for c in users.columns:
        if c.name not in gone:
            yield f"column {c.name} {c.type}{' NOT NULL' if c.not_null else ''} {c.default}"
            yield from (f"{g.privilege} ({c.name}) for {g.grantee}" for g in c.grants)
    for index in users.indexes:
        if gone.isdisjoint(index.columns):
            yield index.definition
    keys = own_keys(removal)
    for k in users.constraints:
        if gone.isdisjoint(k.columns) and (k.kind != "f" or k in keys):
            yield f"constraint {k.name} {k.definition}"
    for key in inbound_keys(removal):
        yield f"foreign key {key.name} of {key.schema}.{key.table}"
    yield from (trigger.definition for trigger in users.triggers)
    yield from (f"policy {policy.name}" for policy in users.policies)
    yield from (f"{grant.privilege} for {grant.grantee}" for grant in users.grants)
