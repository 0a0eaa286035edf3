"""The statements of devise.sql, made out for one application's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.connect import compose

if TYPE_CHECKING:
    from psycopg import sql

    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.interface import TableShape

_PLAIN = ("id", "email", "encrypted_password", "name", "username", "provider", "uid")
_TIMES = ("created_at", "updated_at", "confirmed_at", "locked_at", "deleted_at")
_NOTHING, _EVERYTHING, _NEVER = "NULL", "TRUE", "FALSE"


class Statements:
    """Fills the named queries with the names of one users table and its identities table."""

    def __init__(self, columns: DeviseColumns, identities: TableShape | None) -> None:
        self._columns = columns
        self._queries = load("migrator.legacy", "devise.sql")
        self._parts = {
            **{part: self._column(part) for part in _PLAIN},
            **{part: self._milliseconds(self._column(part)) for part in _TIMES},
            "second_factor": self._second_factor(),
            "users": ident(columns.table.schema, columns.table.name),
            **(self._linked(identities) if identities else {}),
        }
        self.users = self._parts["users"]

    def named(self, name: str, *, first: bool = False) -> sql.Composed:
        """Give a query; the first page of a keyset query has no key to go beyond."""
        beyond = _EVERYTHING if first else self._queries["beyond"]
        return compose(self._queries[name].replace("{beyond}", beyond), **self._parts)

    def contested_identities(self, *, linked: bool) -> sql.Composed | None:
        """Give the query for shared identities, None where users have none."""
        names = ["linked_claims"] if linked else []
        if self._columns.column("provider") and self._columns.column("uid"):
            names.append("own_claims")
        if not names:
            return None
        claims = " UNION ALL ".join(self._queries[name] for name in names)
        text = self._queries["contested_identities"].replace("{claims}", claims)
        return compose(text, **self._parts)

    def _column(self, part: str) -> str:
        column = self._columns.column(part)
        return f"u.{ident(column)}" if column else _NOTHING

    def _milliseconds(self, column: str) -> str:
        if column == _NOTHING:
            return _NOTHING
        return self._queries["epoch_ms"].format(column=column)

    def _second_factor(self) -> str:
        column = self._column("otp_required_for_login")
        if column == _NOTHING:
            return _NEVER
        is_flag = self._columns.type_of("otp_required_for_login") == "boolean"
        return self._queries["is_true" if is_flag else "is_set"].format(column=column)

    def _linked(self, table: TableShape) -> dict[str, str]:
        has_time = "created_at" in table.columns
        return {
            "identities": ident(table.schema, table.name),
            "identity_user": ident("user_id"),
            "identity_provider": ident("provider"),
            "identity_uid": ident("uid"),
            "linked_at": self._milliseconds(f"i.{ident('created_at')}" if has_time else _NOTHING),
        }
