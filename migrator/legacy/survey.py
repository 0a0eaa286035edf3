"""Counts what is in the legacy database: states, references, rights. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.errors import RefusedError, UsageError
from migrator.core.sql import ident
from migrator.legacy.asking import Questions, quoted, quoted_or_null
from migrator.legacy.columns import TIME_TYPES, TIMES
from migrator.legacy.findings import (
    Activity,
    ForeignKey,
    LegacySurvey,
    LooseReference,
    OddTimes,
    Relation,
    Server,
    States,
)
from migrator.legacy.laravel import LIBRARY as LARAVEL
from migrator.legacy.populations import identities, laravel_tokens, sessions

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from migrator.config.model import LegacySection
    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.connect import Connection
    from migrator.legacy.devise import DeviseSource

STATEMENT_TIMEOUT_S = 60
LONG_S = 300
IDENTITY_TABLE = "migrator_identity"
QUERY = "q"
_REMEMBERED = "remember_created_at"


def survey(
    connection: Connection,
    legacy: LegacySection,
    *,
    source: DeviseSource,
    unlock_in: timedelta | None,
    now: datetime,
) -> LegacySurvey:
    """Look at the legacy database; each question is a statement of its own with a time limit.

    Args:
        connection: Read-only and in autocommit.
        legacy: Where things are.
        source: The users, opened.
        unlock_in: How long a lock holds, None for ever.
        now: For locks; aware.

    Raises:
        UsageError: A column that should hold a time is of another type.
        RefusedError: Our role may not read the users table.
        psycopg.Error: The database failed, or a count took longer than `STATEMENT_TIMEOUT_S`.
    """
    ask, columns = Questions(connection), source.columns
    ask.row("set_limits", {"timeout": f"{STATEMENT_TIMEOUT_S}s"})
    server = Server(**ask.row("server"))
    is_query = bool(columns.table.query)
    relation = _query(ask, columns, server.role) if is_query else _users_table(ask, columns)
    unreadable = () if is_query else _check_rights(ask, columns, relation, role=server.role)
    return LegacySurvey(
        server=server,
        table=str(columns.table),
        schema=columns.table.schema,
        library=columns.library,
        laravel=laravel_tokens(ask, legacy.users_table) if columns.library == LARAVEL else None,
        relation=relation,
        key_type=columns.type_of("id"),
        key_range=_key_range(ask, columns),
        modules=tuple(sorted(columns.modules)),
        unreadable_columns=unreadable,
        states=_states(ask, columns, unlock_in=unlock_in, now=now),
        odd_times=_odd_times(ask, columns),
        foreign_keys=_foreign_keys(ask, relation),
        loose_references=() if is_query else _loose_references(ask, relation, legacy),
        identities=identities(ask, columns, source.identities),
        sessions=sessions(ask, legacy),
        activity=_activity(ask),
        bearer_tables=ask.names("bearer_suspects"),
        identity_table=ask.relation(columns.table.schema, IDENTITY_TABLE),
    )


def _users_table(ask: Questions, columns: DeviseColumns) -> Relation:
    relation = ask.relation(columns.table.schema, columns.table.name)
    if relation is None:
        raise UsageError(
            f"there is no table {columns.table}", hint="set legacy.users_table in migrator.toml"
        )
    return relation


def _query(ask: Questions, columns: DeviseColumns, role: str) -> Relation:
    """Say of a SELECT what can be said: the tables behind it were not looked at."""
    rights = ask.rows("schema_rights", {"schema": columns.table.schema})
    if not rights:
        raise UsageError(
            f"there is no schema {columns.table.schema} for {IDENTITY_TABLE}",
            hint="set legacy.users_table in migrator.toml to a table beside which ours may be",
        )
    return Relation(
        oid=0,
        kind=QUERY,
        owner=role,
        owned=True,
        rows_hidden=False,
        writable=False,
        rows_estimate=0,
        total_bytes=0,
        table_bytes=0,
        **rights[0],
    )


def _check_rights(
    ask: Questions, columns: DeviseColumns, relation: Relation, *, role: str
) -> tuple[str, ...]:
    """Refuse when a column that is needed cannot be read; give the other unreadable ones."""
    place = ident(columns.table.schema, columns.table.name)
    if not relation.schema_usable:
        raise RefusedError(
            f"role {role} may not use the schema {columns.table.schema}",
            hint=f"GRANT USAGE ON SCHEMA {ident(columns.table.schema)} TO {ident(role)}; then migrator preflight",
        )
    unreadable = tuple(name for name, yes in ask.readable(relation).items() if not yes)
    missing = [name for name in unreadable if name in {*columns.parts.values(), _REMEMBERED}]
    if missing:
        raise RefusedError(
            f"role {role} may not read {columns.table} ({', '.join(missing)})",
            hint=f"GRANT SELECT ON {place} TO {ident(role)}; then migrator preflight",
        )
    return unreadable


def _states(
    ask: Questions, columns: DeviseColumns, *, unlock_in: timedelta | None, now: datetime
) -> States:
    def column(part: str, kind: str) -> str:
        if columns.type_of(part) == "boolean" and kind == "timestamptz":
            # A flag says that it happened, not when.
            return f"(CASE WHEN {quoted(columns.parts[part])} THEN 'epoch'::timestamptz END)"
        return quoted_or_null(columns.column(part), kind)

    remembered = _REMEMBERED if _REMEMBERED in columns.table.columns else None
    confirmable = columns.column("confirmed_at") is not None
    row = ask.row(
        "states",
        {"confirmable": confirmable, "unlock_in": unlock_in, "now": now},
        confirmed_at=column("confirmed_at", "timestamptz"),
        locked_at=_locked_at(columns),
        deleted_at=column("deleted_at", "timestamptz"),
        second_factor=_second_factor(columns),
        pending=column("unconfirmed_email", "text"),
        password=column("encrypted_password", "text"),
        remembered=quoted_or_null(remembered, "timestamptz"),
        users=_users(columns),
    )
    return States(**row)


def _locked_at(columns: DeviseColumns) -> str:
    """Read when an account was locked; one that is disabled is a lock that nothing ends."""
    locked = quoted_or_null(columns.column("locked_at"), "timestamptz")
    disabled = columns.column("disabled")
    if disabled is None:
        return locked
    return f"(CASE WHEN {quoted(disabled)} THEN 'infinity'::timestamptz ELSE {locked} END)"


def _second_factor(columns: DeviseColumns) -> str:
    """Read a flag as it is; of any other column, such as a secret, whether it is set."""
    column = columns.column("otp_required_for_login")
    if column is None or columns.type_of("otp_required_for_login") == "boolean":
        return quoted_or_null(column, "boolean")
    return f"({quoted(column)} IS NOT NULL)"


def _odd_times(ask: Questions, columns: DeviseColumns) -> tuple[OddTimes, ...]:
    found = []
    times = [part for part in TIMES if columns.type_of(part) in TIME_TYPES]
    for column in filter(None, map(columns.column, times)):
        row = ask.row("odd_times", column=quoted(column), users=_users(columns))
        if any(row.values()):
            found.append(OddTimes(column, **row))
    return tuple(found)


def _key_range(ask: Questions, columns: DeviseColumns) -> tuple[str, str]:
    row = ask.row("key_range", pk=quoted(columns.parts["id"]), users=_users(columns))
    return row["lowest"] or "", row["highest"] or ""


def _foreign_keys(ask: Questions, relation: Relation) -> tuple[ForeignKey, ...]:
    rows = ask.rows("foreign_keys", {"oid": relation.oid})
    return tuple(ForeignKey(**{**row, "columns": tuple(row["columns"])}) for row in rows)


def _loose_references(
    ask: Questions, relation: Relation, legacy: LegacySection
) -> tuple[LooseReference, ...]:
    values = {"oid": relation.oid, "reference": f"{legacy.model.lower()}_id"}
    return tuple(LooseReference(**row) for row in ask.rows("loose_references", values))


def _activity(ask: Questions) -> Activity:
    long = ask.row("long_transactions", {"longer_than_s": LONG_S})
    return Activity(**long, prepared=ask.row("prepared_transactions")["count"])


def _users(columns: DeviseColumns) -> str:
    return columns.table.relation
