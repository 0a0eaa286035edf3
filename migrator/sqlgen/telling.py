"""What a plan tells a person: what is there, what to look at, what a revert does not bring back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sqlgen import in_order, steps

if TYPE_CHECKING:
    from migrator.core.access import Bystander
    from migrator.core.catalog import Table
    from migrator.sqlgen.removal import Removal


def described(removal: Removal) -> tuple[str, ...]:
    """Describe each table in a line, and who owns and may use it."""
    return tuple(_described(table) for table in _moved(removal))


def _moved(removal: Removal) -> list[Table]:
    return [*removal.tables, *([removal.users] if removal.columns else [])]


def told(bystander: Bystander) -> str:
    """Give a line about something else that touches the database."""
    return f"{bystander.kind} {bystander.name}: {bystander.detail}"


def _described(table: Table) -> str:
    outbound = sum(key.kind == "f" for key in table.constraints)
    parts = [
        f"OID {table.oid}",
        f"{table.rows} rows",
        f"owner {table.owner}",
        f"foreign keys: {outbound} out, {len(table.inbound)} in",
        *_named("triggers", [trigger.name for trigger in table.triggers]),
        *_named("policies", [policy.name for policy in table.policies]),
        *_named("publications", [publication.name for publication in table.publications]),
        *_named(
            "granted to", sorted({g.grantee or "PUBLIC" for g in table.grants} - {table.owner})
        ),
    ]
    return f"{table.label}: {'; '.join(parts)}"


def _named(what: str, names: list[str]) -> list[str]:
    return [f"{what}: {', '.join(names)}"] if names else []


def exceptions(removal: Removal) -> tuple[str, ...]:
    """Give what a revert after a drop does not bring back as it was."""
    at_the_end = f"{removal.users.label}: the columns come back at the end of the column order"
    if removal.in_order:
        at_the_end += ", unless `migrator remove revert --preserve-order` writes the table anew"
    return (*_of_tables(removal), *([at_the_end] if removal.columns else []), *_of_rows(removal))


def exceptions_in_order(removal: Removal) -> tuple[str, ...]:
    """Give what a revert after a drop does not bring back as it was where the users table is written anew for it."""
    if not removal.in_order:
        return ()
    new = f"{removal.users.label}: it is a new table, whose OID and statistics are others"
    if removal.rules.erase != "no":
        new += "; the physical order of its rows went with the erasure"
    return (*_of_tables(removal), new, *_of_rows(removal))


def _of_tables(removal: Removal) -> list[str]:
    physical = "tables: the physical order of rows, OIDs, and gaps of columns dropped before"
    return [physical] if removal.tables else []


def _of_rows(removal: Removal) -> list[str]:
    found = []
    if removal.columns:
        found.append(
            f"{removal.users.label}: rows written after the archive get the columns' defaults; as a password a hash that none fits"
        )
    if removal.columns and removal.users.triggers:
        names = ", ".join(trigger.name for trigger in removal.users.triggers)
        found.append(f"{removal.users.label}: its own triggers fire during the way back: {names}")
    found += [
        f"{table.label}.{omission.column}: its values are secrets and not archived; a revert puts {omission.instead} there"
        for table in _moved(removal)
        for omission in removal.omitted(table)
    ]
    return found


def notes(removal: Removal) -> tuple[str, ...]:
    """Give what a person should look at before applying."""
    found = [
        f"function {function} names what goes from {table.label}, and may break"
        for table in _moved(removal)
        for function in table.mentions
    ]
    return (
        *found,
        *_shared_indexes(removal),
        *_everybody(removal),
        *_unproven(removal),
        *_in_order(removal),
    )


def _in_order(removal: Removal) -> list[str]:
    if not removal.in_order:
        return []
    step = in_order.step_of(removal)
    return [f"migrator remove revert --preserve-order: {step.lock} {step.blocks}"]


def _shared_indexes(removal: Removal) -> list[str]:
    gone = set(removal.names)
    return [
        f"index {index.name} of {removal.users.label} goes with its columns; whoever looks rows up "
        f"by {', '.join(kept)} needs another one first (CREATE INDEX CONCURRENTLY)"
        for index in removal.users.indexes
        if gone.intersection(index.columns)
        and (kept := [name for name in index.columns if name not in gone])
    ]


def _everybody(removal: Removal) -> list[str]:
    return [
        f"{table.label} is taken from PUBLIC too: every role without a grant of its own loses it"
        for table, taken in zip(removal.tables, removal.revocations, strict=True)
        if "" in taken.grantees
    ]


def _unproven(removal: Removal) -> list[str]:
    accepted = "scream_window" in removal.rules.acknowledged
    step = steps.SCREAM_WINDOW if removal.tables else steps.QUARANTINE_COLUMNS
    said = "acknowledged" if accepted else f"step {step} will hold"
    return [f"the scream window is UNPROVEN ({said}): {reason}" for reason in removal.unproven]
