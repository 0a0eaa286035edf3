"""What is to be removed from a MariaDB, checked: everything in it can be carried back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrator.core.errors import RefusedError
from migrator.core.mariadb import kind_of, places_of
from migrator.core.sql import ident
from migrator.sqlgen.removal import MARIADB, Removal, checked, refusals_anywhere
from migrator.sqlgen.revocation import Revocation

if TYPE_CHECKING:
    from migrator.core.catalog import Catalog, Table
    from migrator.sqlgen.removal import Rules

DELIMITER = "$migrator$"
# RANDOM_BYTES; nothing older was ever tried.
MIN_SERVER_VERSION = 101_100
# Where PostgreSQL's removal measures, nothing can be measured here: it has to be said instead.
_TO_ACKNOWLEDGE = {
    "scream_window": "nobody hears who misses the tables: MariaDB writes refused statements to no log",
    "code_first": "no instance says in MariaDB which build it runs",
    "stages": "stages know PostgreSQL only: that the application signs in through Auther alone, nobody measures",
}
_UNCARRIED = frozenset({"bit", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring"})  # fmt: skip
_UNCARRIED |= {"multipolygon", "geometrycollection", "vector"}
_NO_REVOKE = "a revoke does nothing to a role that has rights on the whole database"


def make_removal(
    catalog: Catalog, *, tables: tuple[tuple[str, str], ...], users: tuple[str, str], rules: Rules
) -> Removal:
    """Choose tables out of a catalog that has them all; arguments and errors as for PostgreSQL's."""
    kept = catalog.find(*users)
    chosen = tuple(found for name in tables if (found := catalog.find(*name)))
    if kept is None or len(chosen) < len(tables):
        raise RefusedError("a table vanished meanwhile", hint="migrator remove plan")
    removal = Removal(
        catalog.database,
        catalog.server_version,
        chosen,
        kept,
        (),
        rules,
        tuple(Revocation((), "", (_NO_REVOKE,)) for _ in chosen),
        dialect=MARIADB,
    )
    return checked(removal, refusals(removal))


def refusals(removal: Removal) -> list[str]:
    """Give every reason why the removal could not be undone or could not run."""
    found = [reason for table in removal.tables for reason in _of_table(removal, table)]
    if removal.server_version < MIN_SERVER_VERSION:
        found.append("the server is older than MariaDB 10.11")
    missing = [
        (word, why)
        for word, why in _TO_ACKNOWLEDGE.items()
        if word not in removal.rules.acknowledged
    ]
    return (
        found
        + refusals_anywhere(removal)
        + [
            f'{why}; to go on without put "{word}" into [remove] acknowledged'
            for word, why in missing
        ]
    )


def _of_table(removal: Removal, table: Table) -> list[str]:
    label = table.label
    gone = {(t.schema, t.name) for t in removal.tables}
    found = [f"{label}: {blocker.reason}" for blocker in table.blockers]
    if table.schema != removal.database:
        found.append(f"{label}: it is in another database than legacy.dsn leads to")
    if table.schema in places_of(removal.database).all:
        found.append(f"{label}: {table.schema} belongs to another plan")
    found += [
        f"{label}: trigger {trigger.name} cannot move to another database"
        for trigger in table.triggers
    ]
    found += [
        f"{label}: foreign key {key.name} of {key.schema}.{key.table} points to it: drop that one first"
        for key in table.inbound
        if (key.schema, key.table) not in gone
    ]
    found += [
        f"{label}.{column.name}: values of the type {column.type} cannot be carried"
        for column in table.columns
        if kind_of(column.type) in _UNCARRIED
    ]
    found += [
        f"{label}: foreign key {key.name} could not come back: {column.name} is computed of its columns and stored"
        for key in table.constraints
        for column in table.columns
        if key.kind == "f"
        and column.generated == "s"
        and any(ident(name) in column.default for name in key.columns)
    ]
    if DELIMITER in table.definition or re.search(
        r"^-- (unit|always): ", table.definition, re.MULTILINE
    ):
        found.append(f"{label}: a text of it would cut the files")
    return found
