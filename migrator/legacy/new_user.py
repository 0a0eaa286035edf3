"""The function in the application's database that makes a row for a new user of Auther."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psycopg import sql

from migrator.core.queries import load
from migrator.core.sql import ident, literal
from migrator.legacy.connect import compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.legacy.columns import DeviseColumns

FUNCTION = "migrator_new_user"
_NOW = "now_utc"
# Parts beside address and password, and what a new row says there.
_FURTHER = {"name": "p_name", "created_at": _NOW, "updated_at": _NOW}


def new_user_function(columns: DeviseColumns, defaults: Mapping[str, Any]) -> Any:
    """Give the statement that creates or replaces `migrator_new_user`.

    Args:
        columns: The users table; a real one, no query.
        defaults: `[write_back] defaults`: values for columns that a new row has to name.
    """
    schema, parts = columns.table.schema, columns.parts
    users = ident(schema, columns.table.name)
    further = [(parts[part], value) for part, value in _FURTHER.items() if part in parts]
    if "confirmed_at" in parts:
        proven = "true" if columns.type_of("confirmed_at") == "boolean" else _NOW
        further.append((parts["confirmed_at"], f"CASE WHEN p_email_verified THEN {proven} END"))
    there = {name: value for name, value in defaults.items() if name in columns.table.columns}
    fragments = {
        "identity": ident(schema, "migrator_identity"),
        "tombstone": ident(schema, "migrator_tombstone"),
        "users": users,
        "users_name": literal(users),
        "id_name": literal(ident(parts["id"])),
        "email": ident(parts["email"]),
        "email_name": literal(parts["email"]),
        "password_name": literal(parts["encrypted_password"]),
        "defaults": f"{literal(json.dumps(there))}::jsonb",
        "further": "".join(f",\n    {literal(name)}, {value}" for name, value in further),
    }
    queries = load("migrator.legacy", "new_user.sql")
    body = sql.SQL(queries["body"]).format(**{n: sql.SQL(text) for n, text in fragments.items()})
    return compose(
        queries["create_new_user"],
        function=ident(schema, FUNCTION),
        body=literal(body.as_string()),
    )
