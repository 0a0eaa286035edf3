"""Reads the users of a Django application on PostgreSQL, through a SELECT made out for its tables."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.connect import describe_table, open_postgres
from migrator.legacy.devise import DeviseSource, Roles, describe_identities
from migrator.legacy.new_user import DJANGO_HASH, NAME, NOW, NewRow, when_verified
from migrator.legacy.query import FLAG
from migrator.legacy.user_model import (
    UserModel,
    disabled,
    flag_role,
    read_through,
    roles_of,
    users_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.config.model import LegacySection
    from migrator.legacy.interface import TableShape
    from migrator.legacy.postgres import PostgresConnection

MODEL = UserModel(
    "Django",
    usual={
        "id": "id",
        "email": "email",
        "password": "password",
        "username": "username",
        "created_at": "date_joined",
        "active": "is_active",
    },
    on_request=(
        "name",
        "updated_at",
        "confirmed_at",
        "verified",
        "locked_at",
        "deleted_at",
        "second_factor",
    ),
    types={"active": FLAG},
)
_NAMES = ("first_name", "last_name")
# As long as Django lets a username be.
_USERNAME = "CASE WHEN length(p_email) <= 150 THEN p_email ELSE p_auther_id END"
_FIRST_NAME = "coalesce(left(p_name, 150), '')"
_GROUP = "group_id"
_GROUPS_TABLE = "public.auth_group"


@contextmanager
def open_django(dsn: str, settings: LegacySection) -> Iterator[DeviseSource]:
    """Connect, read-only, and look at Django's tables.

    Args:
        dsn: The application's database.
        settings: `[legacy]` of migrator.toml; `users_table` is that of the user model.

    Raises:
        UsageError: A table or column is missing; the message lists what there is.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    with open_postgres(dsn, doing='legacy.kind = "django"') as connection:
        table = users_table(connection, settings)
        query = users_query(table, settings.columns, roles=_roles(connection, table, settings))
        columns = read_through(connection, table, query, library="django")
        identities = describe_identities(connection, settings)
        connection.read_any_bytes()
        row = new_row(table, settings.columns)
        yield DeviseSource(connection, columns, identities, Roles(), row)


def new_row(table: TableShape, overrides: Mapping[str, str]) -> NewRow:
    """Give the new row of one user model's table: active, and nothing more than that."""
    columns = MODEL.columns(table, overrides)
    usual = {
        "username": _USERNAME,
        "active": "true",
        "name": NAME,
        "created_at": NOW,
        "updated_at": NOW,
        "confirmed_at": when_verified(NOW),
        "verified": "p_email_verified",
    }
    further = {columns[part]: value for part, value in usual.items() if part in columns}
    # Django's own columns have no defaults in the database.
    own = {
        "first_name": _FIRST_NAME,
        "last_name": "''",
        "is_staff": "false",
        "is_superuser": "false",
    }
    further = {name: value for name, value in own.items() if name in table.columns} | further
    further.pop(columns["email"], None)
    return NewRow(
        table, columns["id"], columns["email"], columns["password"], DJANGO_HASH, further
    )


def users_query(table: TableShape, overrides: Mapping[str, str], *, roles: str = "") -> str:
    """Make out the SELECT for one user model's table.

    Args:
        table: The table of the user model.
        overrides: `legacy.columns`: column by part; '' says that nothing plays this part.
        roles: An expression that gives an array of the user's roles, empty to read none.

    Raises:
        UsageError: An override names an unknown part or a missing column, or a column that has to
            be there is missing.
    """
    columns = MODEL.columns(table, overrides)
    queries = load("migrator.legacy", "django.sql")
    given = {part: f"u.{ident(column)}" for part, column in columns.items()}
    shown = {part: column for part, column in given.items() if part != "active"}
    shown["password"] = password_read(given["password"])
    if "username" in given:
        shown["username"] = queries["username"].format(
            column=given["username"], email=given["email"]
        )
    if "active" in given:
        shown["disabled"] = disabled(given["active"])
    if "name" not in overrides and (names := _full_name(table)):
        shown["name"] = names
    if roles:
        shown["roles"] = roles
    parts = ",\n".join(f"{text} AS {ident(part)}" for part, text in shown.items())
    return queries["users"].format(parts=parts, users=table.relation)


def password_read(column: str) -> str:
    """Give the expression for a password as the schemes know it, NULL for none."""
    return load("migrator.legacy", "django.sql")["password"].format(column=column)


def _full_name(table: TableShape) -> str:
    queries = load("migrator.legacy", "django.sql")
    names = [
        queries["name"].format(column=f"u.{ident(name)}")
        for name in _NAMES
        if name in table.columns
    ]
    return queries["full_name"].format(names=", ".join(names)) if names else ""


def _roles(connection: PostgresConnection, table: TableShape, settings: LegacySection) -> str:
    roles = settings.roles
    return roles_of(
        _groups(connection, table, settings) if roles.join_table else "",
        _flag(table, roles.column) if roles.column else "",
    )


def _groups(connection: PostgresConnection, table: TableShape, settings: LegacySection) -> str:
    roles = settings.roles
    named = roles.table if "table" in roles.model_fields_set else _GROUPS_TABLE
    join = describe_table(connection, roles.join_table, key="legacy.roles.join_table")
    groups = describe_table(connection, named, key="legacy.roles.table")
    # The other column is called after the user model: user_id, customer_id.
    users = [name for name in join.columns if name.endswith("_id") and name != _GROUP]
    if _GROUP not in join.columns or len(users) != 1 or not {"id", "name"} <= {*groups.columns}:
        raise UsageError(
            f"{join} and {groups} are not Django's groups; {join} has: {', '.join(join.columns)}",
            hint='set join_table = "public.auth_user_groups" under [legacy.roles] in migrator.toml',
        )
    key = MODEL.column(table, "id", settings.columns)
    return load("migrator.legacy", "django.sql")["groups"].format(
        join=join.relation, groups=groups.relation, user=ident(users[0]), id=f"u.{ident(key)}"
    )


def _flag(table: TableShape, column: str) -> str:
    if table.columns.get(column) != "boolean":
        raise UsageError(
            f"legacy.roles.column: {table} has no boolean {column}; it has: {', '.join(table.columns)}",
            hint='name is_staff or is_superuser; other roles can be read with kind = "sql"',
        )
    return flag_role(f"u.{ident(column)}", column)
