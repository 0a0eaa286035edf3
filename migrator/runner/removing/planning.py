"""Reads what is to go, and what is around it, from whichever database it is in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.core.catalog import shape
from migrator.core.errors import ConflictError, RefusedError, UsageError
from migrator.core.sql import qualified
from migrator.legacy.catalog import Wanted, read_catalog
from migrator.legacy.connect import refuse_other_databases
from migrator.legacy.mariadb_removal import catalog as mariadb
from migrator.legacy.postgres_removal import PostgresRemoval
from migrator.legacy.removal_survey import read_access, read_bystanders
from migrator.legacy.removals import is_mariadb, open_removal
from migrator.runner.removing.site import address, lock_wait_s
from migrator.runner.removing.targets import (
    columns_to_drop,
    rules_of,
    tables_on_mariadb,
    tables_to_drop,
)
from migrator.sqlgen.mariadb.removal import make_removal as make_removal_on_mariadb
from migrator.sqlgen.removal import make_removal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.core.access import Bystander
    from migrator.core.catalog import Catalog
    from migrator.legacy.mariadb_removal.database import MariaDbRemoval
    from migrator.legacy.removal import RemovalDatabase
    from migrator.runner.context import Context
    from migrator.runner.removing.site import Site
    from migrator.sqlgen.removal import Removal

Found = tuple["Removal", tuple["Bystander", ...], bool]


def look(ctx: Context, *, preserve_order: bool) -> Found:
    """Read what goes, checked, who else is at work, and whether a pooler is on the way.

    Raises:
        UsageError: A table or column is unknown or has to stay.
        RefusedError: Something could not be carried back, or is lost and was not acknowledged.
        ConflictError: A plan is under way in the database.
    """
    with open_removal(
        address(ctx), doing="the removal", read_only=True, wait_s=lock_wait_s(ctx)
    ) as database:
        if under_way := database.guard.plan_id():
            raise ConflictError(
                f"plan {under_way} is under way in this database", hint="migrator remove status"
            )
        if isinstance(database, PostgresRemoval):
            return _on_postgres(ctx, database, preserve_order=preserve_order)
        return _on_mariadb(ctx, _as_mariadb(database))


def refuse_what_is_not_built(ctx: Context, *, wrap: tuple[str, ...], preserve_order: bool) -> None:
    """Refuse what nothing stands behind for the application's database, before anything is asked of it.

    Raises:
        RefusedError: It is a database that the removal does not know, or columns are to go from a MariaDB.
        UsageError: An option was given that its removal does not have.
    """
    dsn = address(ctx)
    if not is_mariadb(dsn):
        refuse_other_databases(dsn, doing="the removal")
        return
    if ctx.config.remove.columns:
        raise RefusedError(
            "[remove] columns: the removal knows tables of MariaDB; columns go on PostgreSQL only",
            hint="columns = [] in [remove] of migrator.toml, then: migrator remove plan",
        )
    given = {"--wrap": wrap, "--preserve-order": preserve_order}
    for option, value in given.items():
        if value:
            raise UsageError(f"{option} knows PostgreSQL only", hint="migrator remove plan")


def differences(here: Site) -> tuple[str, ...]:
    """Give what of the planned tables and columns is not as it was planned for."""
    made = here.plan
    now = {
        table.label: shape(
            table, columns=frozenset(made.columns if table.label == made.users else ())
        )
        for table in _catalog(here.database, made.shapes).tables
    }
    return tuple(
        f"{label}: {part}"
        for label, before in made.shapes.items()
        for part, value in before.items()
        if json.loads(json.dumps(now.get(label, {}).get(part))) != value
    )


def _catalog(database: RemovalDatabase, labels: Iterable[str]) -> Catalog:
    places = [qualified(label) for label in labels]
    if isinstance(database, PostgresRemoval):
        return read_catalog(database.connection, [Wanted(*place) for place in places])
    return mariadb.read_catalog(_as_mariadb(database).connection, places)


def _as_mariadb(database: RemovalDatabase) -> MariaDbRemoval:
    from migrator.legacy.mariadb_removal.database import MariaDbRemoval  # noqa: PLC0415 - an optional package

    assert isinstance(database, MariaDbRemoval)  # noqa: S101  there are two
    return database


def _on_postgres(ctx: Context, database: PostgresRemoval, *, preserve_order: bool) -> Found:
    remove, connection = ctx.config.remove, database.connection
    users = qualified(ctx.config.legacy.users_table)
    tables = tables_to_drop(ctx.config, connection)
    columns = columns_to_drop(ctx.config, connection, tables=tables)
    wanted = [Wanted(*name) for name in tables] + [Wanted(*users, columns)]
    catalog = read_catalog(connection, wanted)
    access = read_access(
        connection,
        (table for table in catalog.tables if (table.schema, table.name) in tables),
        application_roles=remove.application_roles,
        guard_role=remove.guard_role,
    )
    bystanders = read_bystanders(connection)
    removal = make_removal(
        catalog,
        tables=tables,
        users=users,
        columns=columns,
        rules=rules_of(ctx.config, preserve_order=preserve_order),
        access=access,
    )
    return removal, bystanders, connection.pooled


def _on_mariadb(ctx: Context, database: MariaDbRemoval) -> Found:
    connection = database.connection
    users = connection.place(ctx.config.legacy.users_table)
    tables = tables_on_mariadb(ctx.config, connection)
    catalog = mariadb.read_catalog(connection, [*tables, users])
    rules = replace(rules_of(ctx.config, preserve_order=False), log_watched=False)
    removal = make_removal_on_mariadb(catalog, tables=tables, users=users, rules=rules)
    return removal, mariadb.read_bystanders(connection), False
