"""Counts who signs in without a password, and who is signed in: provider identities, sessions, tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg.errors import QueryCanceled

from migrator.legacy.asking import quoted
from migrator.legacy.findings import Identities, LaravelTokens, SessionStore
from migrator.legacy.laravel import LIBRARY as LARAVEL
from migrator.legacy.laravel import UIDS

if TYPE_CHECKING:
    from migrator.config.model import LegacySection
    from migrator.legacy.asking import Questions, Row
    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.interface import TableShape

_REFERENCE = "user_id"
# The columns of each store's table, and the question that counts its rows.
_COUNTED = {
    "activerecord": (("session_id", "data", "updated_at"), "sessions"),
    "laravel": (("id", "user_id", "last_activity"), "laravel_sessions"),
}


def identities(ask: Questions, columns: DeviseColumns, linked_in: TableShape | None) -> Identities:
    """Count OmniAuth's identities, and the users who have no password, by whether they have one."""
    uids = list(UIDS) if columns.library == LARAVEL else ["uid"]
    suspects = ask.names(
        "identity_suspects",
        {"reference": _REFERENCE, "schema": columns.table.schema, "uids": uids},
    )
    table = str(linked_in) if linked_in else ""
    if linked_in:
        suspects = tuple(name for name in suspects if name != table)
        providers, linked = _in_a_table(ask, columns, linked_in.relation)
    else:
        providers, linked = _in_users(ask, columns)
    return Identities(
        table=table,
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
    if legacy.session_store not in _COUNTED:
        return SessionStore(legacy.session_store)
    needed, question = _COUNTED[legacy.session_store]
    store = SessionStore(legacy.session_store, legacy.sessions_table)
    relation = ask.relation(*ask.place(store.table))
    if relation is None:
        return replace(store, fault=f"there is no table {store.table}")
    readable = ask.readable(relation)
    missing = [name for name in needed if name not in readable]
    if missing:
        return replace(store, fault=f"{store.table} has no column {', '.join(missing)}")
    if not all(readable[name] for name in needed):
        return replace(store, fault=f"our role may not read {store.table}")
    return _counted(ask, store, question, estimate=relation.rows_estimate)


def _counted(ask: Questions, store: SessionStore, question: str, *, estimate: int) -> SessionStore:
    try:
        row = ask.row(question, sessions=quoted(*ask.place(store.table)))
    except QueryCanceled:
        return replace(store, fault=f"counting took too long; about {estimate:,} rows")
    return replace(store, **row)


def laravel_tokens(ask: Questions, users_table: str) -> LaravelTokens:
    """Count users by columns that are none of the import's."""
    place = ask.place(users_table)
    relation = ask.relation(*place)
    readable = ask.readable(relation) if relation else {}

    def column(name: str, kind: str = "text") -> str:
        return ask.quoted_or_null(name if readable.get(name) else None, kind)

    begun = column("two_factor_secret") if "two_factor_confirmed_at" in readable else "NULL"
    row = ask.row(
        "laravel_tokens",
        users=quoted(*place),
        remember_token=column("remember_token"),
        secret=begun,
        confirmed_at=column("two_factor_confirmed_at", "timestamptz"),
        api_token=column("api_token"),
    )
    return LaravelTokens(**row)
