"""What `[remove]` lists, checked against what is there and what has to stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.core.errors import UsageError
from migrator.core.sql import qualified
from migrator.legacy.catalog import Wanted, existing_columns, read_catalog, table_names
from migrator.legacy.identity import TABLES
from migrator.legacy.mariadb_removal.catalog import table_names as mariadb_tables
from migrator.sqlgen.removal import LockRules, Rules
from migrator.sqlgen.usual.interface import Usual
from migrator.sqlgen.usual.registry import USUAL, present

if TYPE_CHECKING:
    from migrator.config.model import Config
    from migrator.config.remove import Known
    from migrator.legacy.mariadb.connection import MariaDbConnection

_AGAIN = "edit [remove] in migrator.toml, then: migrator remove plan"


def rules_of(config: Config, *, preserve_order: bool) -> Rules:
    """Give what the configuration says about how things are removed, and whether columns may come back in order."""
    remove = config.remove
    return Rules(
        locks=LockRules(
            round(remove.lock_timeout.total_seconds() * 1000), attempts=remove.lock_attempts
        ),
        application_roles=remove.application_roles,
        guard_role=remove.guard_role,
        scream_window_s=round(remove.scream_window.total_seconds()),
        log_watched=bool(remove.server_log),
        quiet_s=round(remove.quiet_for.total_seconds()),
        heartbeat_s=round(config.stage.heartbeat_within.total_seconds()),
        expected=config.stage.expected_instances,
        erase=remove.erase,
        acknowledged=remove.acknowledged,
        include_secrets=remove.archive.include_secrets,
        preserve_order=preserve_order,
    )


def tables_to_drop(config: Config, connection: Any) -> tuple[tuple[str, str], ...]:
    """Give schema and name of each table that goes.

    Raises:
        UsageError: One is unknown or has to stay; the message says what is allowed.
    """
    chosen = config.remove.tables
    if isinstance(chosen, str):
        return _usual_tables(config, chosen, connection)
    names = tuple(dict.fromkeys(qualified(name) for name in chosen))
    for name in names:
        _may_go(config, name)
    known = table_names(connection, {schema for schema, _ in names})
    unknown = [".".join(name) for name in names if ".".join(name) not in known]
    kinds = read_catalog(connection, [Wanted(*qualified(name)) for name in unknown])
    missing = [name for name in unknown if kinds.find(*qualified(name)) is None]
    if missing:
        raise UsageError(
            f"[remove] tables: there is no table {', '.join(missing)}; allowed: {', '.join(known)}",
            hint=_AGAIN,
        )
    return names


def tables_on_mariadb(
    config: Config, connection: MariaDbConnection
) -> tuple[tuple[str, str], ...]:
    """Give database and name of each table that goes from a MariaDB, where columns stay.

    Raises:
        UsageError: One is unknown or has to stay, or none is listed.
    """
    chosen = config.remove.tables
    listed = _usual(config, chosen).tables if isinstance(chosen, str) else chosen
    for name in listed:
        _may_go(config, qualified(name))
    names = tuple(dict.fromkeys(connection.place(name) for name in listed))
    known = mariadb_tables(connection, connection.database)
    missing = [
        name for schema, name in names if schema != connection.database or name not in known
    ]
    if missing or not names:
        said = f"there is no table {', '.join(missing)}" if missing else "nothing is listed"
        raise UsageError(f"[remove] tables: {said}; allowed: {', '.join(known)}", hint=_AGAIN)
    return names


def _usual_tables(config: Config, chosen: Known, connection: Any) -> tuple[tuple[str, str], ...]:
    schema, _ = qualified(config.legacy.users_table)
    known = _usual(config, chosen).tables
    there = {qualified(name) for name in table_names(connection, {schema})}
    names = [(schema, table) for table in known if (schema, table) in there]
    return tuple(name for name in names if name not in _staying(config, schema))


def _may_go(config: Config, name: tuple[str, str]) -> None:
    reasons = _staying(config, name[0])
    if name in reasons:
        raise UsageError(
            f"[remove] tables: {'.'.join(name)} {reasons[name]}",
            hint="take it off [remove] tables in migrator.toml, then: migrator remove plan",
        )


def _staying(config: Config, schema: str) -> dict[tuple[str, str], str]:
    legacy = config.legacy
    return {
        qualified(
            legacy.users_table
        ): "is the users table: it stays as the shadow of the accounts",
        qualified(legacy.sessions_table): "is the session table: the application goes on using it",
        **{(schema, ours): "belongs to the migration: the shims need it" for ours in TABLES},
    }


def columns_to_drop(
    config: Config, connection: Any, *, tables: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    """Give the listed columns of the users table, in its order.

    Args:
        config: The configuration.
        connection: To the application's database.
        tables: Those that go; without any, a column has to.

    Raises:
        UsageError: One is unknown or has to stay, or nothing at all is listed.
    """
    chosen, legacy = config.remove.columns, config.legacy
    there = existing_columns(connection, *qualified(legacy.users_table))
    if not there:
        raise UsageError(
            f"legacy.users_table: there is no table {legacy.users_table}", hint="edit [legacy]"
        )
    if isinstance(chosen, str):
        chosen = present(there, _usual(config, chosen).columns)
    email = legacy.columns.get("email", "email")
    wrong = [name for name in chosen if name not in there or name == email]
    if wrong or not (chosen or tables):
        allowed = ", ".join(name for name in there if name != email)
        said = f"cannot drop {', '.join(wrong)}" if wrong else "nothing is listed"
        raise UsageError(
            f"[remove] columns: {said}; allowed are columns of {legacy.users_table}: {allowed}",
            hint=_AGAIN,
        )
    return tuple(name for name in there if name in chosen)


def usual_of(config: Config) -> Usual:
    """Give the library whose columns go."""
    chosen = config.remove.columns
    return _usual(config, chosen if isinstance(chosen, str) else "usual")


def _usual(config: Config, chosen: Known) -> Usual:
    kind = config.legacy.kind if chosen == "usual" else chosen
    return USUAL.get(kind, Usual(columns=()))
