"""What a plan for MariaDB tells a person: what is there, and what cannot be promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.mariadb import places_of

if TYPE_CHECKING:
    from migrator.core.catalog import Table
    from migrator.sqlgen.removal import Removal


def described(removal: Removal) -> tuple[str, ...]:
    """Describe each table in a line."""
    return tuple(_described(table) for table in removal.tables)


def _described(table: Table) -> str:
    outbound = sum(key.kind == "f" for key in table.constraints)
    return (
        f"{table.label}: InnoDB table {table.oid}; {table.rows} rows; "
        f"foreign keys: {outbound} out, {len(table.inbound)} in"
    )


def exceptions(removal: Removal) -> tuple[str, ...]:
    """Give what a revert after a drop does not bring back as it was."""
    return (
        "tables: the physical order of rows, InnoDB's table numbers, statistics of the optimizer, tablespace files",
        "foreign keys come back unchecked, as MariaDB knows no NOT VALID: rows that point to nothing are listed and stay",
        "grants on the tables themselves stay with their names and are not touched",
        *(
            f"{table.label}.{omission.column}: its values are secrets and not archived; a revert puts {omission.instead} there"
            for table in removal.tables
            for omission in removal.omitted(table)
        ),
    )


def notes(removal: Removal) -> tuple[str, ...]:
    """Give what a person should look at before applying."""
    places = places_of(removal.database)
    mentions = [
        f"routine {routine} names {table.label}, and may break"
        for table in removal.tables
        for routine in table.mentions
    ]
    return (
        *mentions,
        (
            f"the databases {', '.join(places.all)} are made beside the application's: the account of legacy.dsn needs all rights on "
            "them, and PROCESS"
        ),
        (
            "a change of the catalog is no transaction here: a step that was interrupted is left half done, and the same command ends it "
            "or takes it back"
        ),
        "nobody hears who misses the tables: let them stay in quarantine as long as you would listen",
        "events, and routines of other databases, that name the tables are not looked for",
        "TRUNCATE and DROP by an account with the right to it pass the triggers; before the drop the tables are compared with the archive",
        "a DROP TABLE takes as long as the file system takes to delete its file; nobody waits for these tables by then",
        (
            "two operators are kept apart by GET_LOCK, which holds on one server: run it on one node of a cluster, and not through a proxy "
            "that shares connections"
        ),
    )
