"""Counts who signs in without a password, and who is signed in: provider identities and sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg.errors import QueryCanceled

from migrator.legacy.asking import quoted
from migrator.legacy.findings import Identities, SessionStore
from migrator.legacy.interface import TableShape

if TYPE_CHECKING:
    from migrator.config.model import LegacySection
    from migrator.legacy.asking import Questions, Row
    from migrator.legacy.columns import DeviseColumns

_REFERENCE = "user_id"
_SESSION_COLUMNS = ("session_id", "data", "updated_at")


def identities(ask: Questions, columns: DeviseColumns, legacy: LegacySection) -> Identities:
    """Count OmniAuth's identities, and the users who have no password, by whether they have one."""
    suspects = ask.names(
        "identity_suspects", {"reference": _REFERENCE, "schema": columns.table.schema}
    )
    if legacy.query.identities:
        place = TableShape("", "", {}, query=legacy.query.identities.strip().rstrip(";")).relation
        providers, linked = _in_a_table(ask, columns, place)
    elif legacy.identities_table:
        schema_and_table = ask.place(legacy.identities_table)
        here = ".".join(schema_and_table)
        suspects = tuple(name for name in suspects if name != here)
        place = quoted(*schema_and_table)
        providers, linked = _in_a_table(ask, columns, place)
    else:
        providers, linked = _in_users(ask, columns)
    return Identities(
        table="legacy.query.identities" if legacy.query.identities else legacy.identities_table,
        by_provider={row["provider"] or "(none)": row["count"] for row in providers},
        passwordless_linked=linked["with_identity"],
        passwordless_alone=linked["without_identity"],
        suspects=suspects,
    )


def _in_a_table(ask: Questions, columns: DeviseColumns, place: str) -> tuple[list[Row], Row]:
    linked = ask.row(
        "identity_only",
        identities=place,
        users=columns.table.relation,
        pk=quoted(columns.parts["id"]),
        password=quoted(columns.parts["encrypted_password"]),
        user_id=quoted(_REFERENCE),
    )
    return ask.rows("identities", identities=place, provider=quoted("provider")), linked


def _in_users(ask: Questions, columns: DeviseColumns) -> tuple[list[Row], Row]:
    """Count providers in the users table itself, where OmniAuth's first guide puts them."""
    provider = columns.column("provider") if columns.column("uid") else None
    parts = {
        "users": columns.table.relation,
        "provider": ask.quoted_or_null(provider, "text"),
    }
    password = quoted(columns.parts["encrypted_password"])
    linked = ask.row("inline_only", password=password, **parts)
    return ask.rows("inline_identities", **parts), linked


def sessions(ask: Questions, legacy: LegacySection) -> SessionStore:
    """Count the rows of the session store, or say why that is not possible."""
    if legacy.session_store != "activerecord":
        return SessionStore(legacy.session_store)
    store = SessionStore(legacy.session_store, legacy.sessions_table)
    relation = ask.relation(*ask.place(store.table))
    if relation is None:
        return replace(store, fault=f"there is no table {store.table}")
    readable = ask.readable(relation)
    missing = [name for name in _SESSION_COLUMNS if name not in readable]
    if missing:
        return replace(store, fault=f"{store.table} has no column {', '.join(missing)}")
    if not all(readable[name] for name in _SESSION_COLUMNS):
        return replace(store, fault=f"our role may not read {store.table}")
    return _counted(ask, store, estimate=relation.rows_estimate)


def _counted(ask: Questions, store: SessionStore, *, estimate: int) -> SessionStore:
    try:
        row = ask.row(
            "sessions", sessions=quoted(*ask.place(store.table)), updated_at=quoted("updated_at")
        )
    except QueryCanceled:
        return replace(store, fault=f"counting took too long; about {estimate:,} rows")
    return replace(store, **row)
