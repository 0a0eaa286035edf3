"""The function in the application's database that makes a row for a new user of Auther."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from migrator.core.queries import load
from migrator.core.sql import ident, literal
from migrator.legacy.connect import compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.interface import TableShape

FUNCTION = "migrator_new_user"
# Expressions over the function's own names.
NOW = "now_utc"
NAME = "p_name"
EMAIL = "p_email"
_BCRYPT = "'{prefix}04$' || left(letters, 21) || '.' || substr(letters, 22, 31)"
# As Devise and Laravel write bcrypt, and as Django's `make_password(None)` writes that there is none.
DEVISE_HASH, LARAVEL_HASH = (_BCRYPT.format(prefix=prefix) for prefix in ("$2a$", "$2y$"))
DJANGO_HASH = "'!' || left(letters, 40)"


@dataclass(frozen=True)
class NewRow:
    """What a row for somebody whom only Auther knows says.

    Attributes:
        table: The application's own table.
        unusable: An expression for a password that none fits.
        further: Expressions by column, beside address and password; NULL leaves the column's default.
    """

    table: TableShape
    id: str
    email: str
    password: str
    unusable: str
    further: Mapping[str, str]


def devise_row(columns: DeviseColumns) -> NewRow:
    """Give the new row of a table with Devise's columns."""
    parts = columns.parts
    usual = {"name": NAME, "created_at": NOW, "updated_at": NOW}
    further = {parts[part]: value for part, value in usual.items() if part in parts}
    if "confirmed_at" in parts:
        proven = "true" if columns.type_of("confirmed_at") == "boolean" else NOW
        further[parts["confirmed_at"]] = when_verified(proven)
    return NewRow(
        columns.table,
        parts["id"],
        parts["email"],
        parts["encrypted_password"],
        DEVISE_HASH,
        further,
    )


def when_verified(value: str) -> str:
    """Give an expression that says this only where Auther verified the address."""
    return f"CASE WHEN p_email_verified THEN {value} END"


def new_user_function(row: NewRow, defaults: Mapping[str, Any]) -> Any:
    """Give the statement that creates or replaces `migrator_new_user`.

    Args:
        row: What a new row says.
        defaults: `[write_back] defaults`: values for columns that a new row has to name.
    """
    schema = row.table.schema
    users = ident(schema, row.table.name)
    there = {name: value for name, value in defaults.items() if name in row.table.columns}
    fragments = {
        "identity": ident(schema, "migrator_identity"),
        "tombstone": ident(schema, "migrator_tombstone"),
        "users": users,
        "users_name": literal(users),
        "id_name": literal(ident(row.id)),
        "email": ident(row.email),
        "email_name": literal(row.email),
        "password_name": literal(row.password),
        "unusable": row.unusable,
        "defaults": f"{literal(json.dumps(there))}::jsonb",
        "further": "".join(
            f",\n    {literal(name)}, {value}" for name, value in row.further.items()
        ),
    }
    queries = load("migrator.legacy", "new_user.sql")
    body = sql.SQL(queries["body"]).format(**{n: sql.SQL(text) for n, text in fragments.items()})
    return compose(
        queries["create_new_user"],
        function=ident(schema, FUNCTION),
        body=literal(body.as_string()),
    )
