"""The statements of devise.sql, made out for one application's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.sql import ident
from migrator.legacy.connect import compose
from migrator.legacy.interface import INTEGER_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import sql

    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.interface import TableShape
    from migrator.legacy.roles import JoinedRoles

_PLAIN = ("id", "email", "encrypted_password", "name", "username", "provider", "uid")
_TIMES = ("created_at", "updated_at", "confirmed_at", "locked_at", "deleted_at")
_TEXT_PARTS = ("email", "encrypted_password", "name")
# Other types change when they become texts: `character` loses its blanks. No column at all has none.
_TEXTS = frozenset({"text", "character varying", "citext", ""})
# Read only where there are any: each column costs time in every row.
EXTRAS = ("salt", "roles", "disabled")
_NOTHING, _EVERYTHING = "NULL", "TRUE"


class Statements:
    """Fills the named queries with the names of one users table and of those that refer to it.

    Attributes:
        users: What stands behind FROM.
        extras: The parts that follow the fixed ones in a page of users.
    """

    def __init__(
        self,
        queries: Mapping[str, str],
        columns: DeviseColumns,
        identities: TableShape | None,
        roles: JoinedRoles | None = None,
    ) -> None:
        self._columns = columns
        self._queries = queries
        self._parts = {
            **{part: self._column(part) for part in _PLAIN},
            **{part: self._time(part) for part in _TIMES},
            "second_factor": self._second_factor(),
            "users": columns.table.relation,
            **(self._linked(identities) if identities else {}),
            **(_joined(roles) if roles else {}),
        }
        self.users = self._parts["users"]
        self.extras = tuple(part for part in EXTRAS if columns.column(part))
        extras = [self._extra(part) for part in self.extras]
        self._parts["extras"] = "".join([f", {extra}" for extra in extras])
        self._parts["no_extras"] = "".join([f" AND ({extra}) IS NULL" for extra in extras])

    def named(self, name: str, *, which: str = "beyond") -> sql.Composed:
        """Give a query.

        Args:
            name: Its name in devise.sql.
            which: Whom it asks for: `beyond` a key, `all`, or whose key is `among` some.
        """
        rows = _EVERYTHING if which == "all" else self._queries[which]
        return self.about(name, compose(rows, **self._parts))

    def about(self, name: str, whom: sql.Composed) -> sql.Composed:
        """Give a query about those of whom something is true."""
        return compose(self._queries[name], beyond=whom, **self._parts)

    @property
    def gives_columns(self) -> bool:
        """Tell that each column, as a text, holds its values as COPY writes them."""
        texts = [self._columns.type_of(part) for part in _TEXT_PARTS]
        return (
            self._columns.type_of("id") in {*INTEGER_TYPES, "uuid", "text", "character varying"}
            and all(kind in _TEXTS for kind in texts)
            and _NOTHING not in {self._parts["created_at"], self._parts["updated_at"]}
        )

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

    def _extra(self, part: str) -> str:
        column = self._column(part)
        if part == "disabled":
            return self._queries["set_flag"].format(column=column)
        if self._columns.type_of(part) == "boolean":
            return self._queries["is_true"].format(column=column)
        is_array = self._columns.type_of(part).endswith("[]")
        return self._queries["as_json"].format(column=column) if is_array else column

    def _time(self, part: str) -> str:
        column = self._column(part)
        if self._columns.type_of(part) == "boolean":
            return self._queries["flag_ms"].format(column=column)
        return self._milliseconds(column)

    def _milliseconds(self, column: str) -> str:
        if column == _NOTHING:
            return _NOTHING
        return self._queries["epoch_ms"].format(column=column)

    def _second_factor(self) -> str:
        column = self._column("otp_required_for_login")
        if column == _NOTHING:
            return self._queries["never"]
        is_flag = self._columns.type_of("otp_required_for_login") == "boolean"
        return self._queries["is_true" if is_flag else "is_set"].format(column=column)

    def _linked(self, table: TableShape) -> dict[str, str]:
        has_time = "created_at" in table.columns
        return {
            "identities": table.relation,
            "identity_user": ident("user_id"),
            "identity_provider": ident("provider"),
            "identity_uid": ident("uid"),
            "linked_at": self._milliseconds(f"i.{ident('created_at')}" if has_time else _NOTHING),
        }


def _joined(tables: JoinedRoles) -> dict[str, str]:
    def column(name: str) -> str:
        return f"r.{ident(found)}" if (found := tables.column(name)) else _NOTHING

    return {
        "role_table": tables.roles.relation,
        "role_join": tables.join.relation,
        "role_kind": column("resource_type"),
        "role_thing": column("resource_id"),
    }
