"""Reads users from whatever tables, through a SELECT that the operator wrote."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from migrator.core.errors import UsageError
from migrator.core.queries import load
from migrator.core.redact import scrub
from migrator.core.sql import ident, qualified
from migrator.legacy.columns import TIME_TYPES, DeviseColumns, confirmable
from migrator.legacy.connect import Connection, compose, open_database, read_any_bytes, wrapped
from migrator.legacy.devise import DeviseSource, Roles, describe_roles
from migrator.legacy.interface import INTEGER_TYPES, TableShape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.config.model import LegacySection

_HINT = "edit [legacy.query] in migrator.toml; try the SELECT in psql"
_SHOWN = 3
_KEYS = frozenset({*INTEGER_TYPES, "uuid", "text", "character varying", "character"})
TEXTS = frozenset({"text", "character varying", "character", "citext"})
FLAG = frozenset({"boolean"})

# Each column that a SELECT may give: the part that it plays, and the types that it may have.
COLUMNS: Mapping[str, tuple[str, frozenset[str]]] = {
    "id": ("id", _KEYS),
    "email": ("email", TEXTS),
    "password": ("encrypted_password", TEXTS),
    "salt": ("salt", TEXTS),
    "name": ("name", TEXTS),
    "username": ("username", TEXTS),
    "created_at": ("created_at", TIME_TYPES),
    "updated_at": ("updated_at", TIME_TYPES),
    "confirmed_at": ("confirmed_at", TIME_TYPES),
    "verified": ("confirmed_at", FLAG),
    "locked_at": ("locked_at", TIME_TYPES),
    "deleted_at": ("deleted_at", TIME_TYPES | FLAG),
    "disabled": ("disabled", FLAG),
    "second_factor": ("otp_required_for_login", FLAG),
    "provider": ("provider", TEXTS),
    "uid": ("uid", TEXTS | INTEGER_TYPES),
    "roles": ("roles", TEXTS | FLAG | INTEGER_TYPES | {"text[]", "character varying[]"}),
}
REQUIRED = ("id", "email", "password")
_LINKS: Mapping[str, frozenset[str]] = {
    "user_id": _KEYS,
    "provider": TEXTS,
    "uid": TEXTS | INTEGER_TYPES,
    "created_at": TIME_TYPES,
}
_LINKS_REQUIRED = ("user_id", "provider", "uid")


@contextmanager
def open_query(dsn: str, settings: LegacySection) -> Iterator[DeviseSource]:
    """Connect, read-only, and look at what the operator's SELECTs give.

    Args:
        dsn: The application's database.
        settings: `[legacy]` of migrator.toml.

    Raises:
        UsageError: A SELECT cannot be run, a column is missing, unknown or of a wrong type, or an
            id is empty or occurs twice.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    with open_database(dsn) as connection:
        schema = qualified(settings.users_table)[0]
        users = describe_query(connection, settings.query.users, key="users", schema=schema)
        columns = columns_of(users)
        refuse_ambiguous_keys(connection, users)
        identities = _identities(connection, settings, schema)
        roles = Roles(describe_roles(connection, settings), settings.roles.names)
        read_any_bytes(connection)
        yield DeviseSource(connection, columns, identities, roles)


def describe_query(connection: Connection, query: str, *, key: str, schema: str) -> TableShape:
    """Ask the server which columns a SELECT gives, without running it.

    Raises:
        UsageError: The server does not take it, or two columns have one name.
    """
    shape = TableShape(schema, f"legacy.query.{key}", {}, query=query.strip().rstrip(";"))
    text = compose(load("migrator.legacy", "query.sql")["shape"], query=shape.relation)
    try:
        found = connection.execute(text, {}).description or []
    except psycopg.errors.InsufficientPrivilege:
        raise
    except (psycopg.ProgrammingError, psycopg.DataError) as error:
        said = scrub(str(error).partition("\n")[0])
        raise UsageError(f"legacy.query.{key}: {said}", hint=_HINT) from error
    names = [column.name for column in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"legacy.query.{key} gives {twice[0]} twice", hint=_HINT)
    return TableShape(schema, shape.name, _types(connection, found), query=shape.query)


def _types(connection: Connection, found: list[psycopg.Column]) -> dict[str, str]:
    query = load("migrator.legacy", "query.sql")["types"].encode()
    with wrapped("reading the catalog"):
        rows = connection.execute(query, {"oids": [c.type_code for c in found]}).fetchall()
    types: dict[int, str] = dict(rows)
    return {column.name: types[column.type_code] for column in found}


def columns_of(users: TableShape) -> DeviseColumns:
    """Match what a SELECT gives with the parts that columns play.

    Raises:
        UsageError: A column is missing, unknown or of a wrong type.
    """
    for name in users.columns:
        if name not in COLUMNS:
            raise UsageError(
                f"{users} gives {name}, which is no column that is known; there are:"
                f" {', '.join(COLUMNS)}",
                hint=_HINT,
            )
    if "verified" in users.columns and "confirmed_at" in users.columns:
        raise UsageError(f"{users} gives both verified and confirmed_at", hint=_HINT)
    types = {name: kinds for name, (_, kinds) in COLUMNS.items()}
    _check(users, REQUIRED, types)
    parts = {COLUMNS[name][0]: name for name in users.columns}
    return DeviseColumns(users, parts, confirmable(parts), "legacy.query")


def _identities(connection: Connection, settings: LegacySection, schema: str) -> TableShape | None:
    if not settings.query.identities:
        return None
    links = describe_query(connection, settings.query.identities, key="identities", schema=schema)
    _check(links, _LINKS_REQUIRED, _LINKS)
    return links


def _check(
    shape: TableShape, required: tuple[str, ...], types: Mapping[str, frozenset[str]]
) -> None:
    for name in required:
        if name not in shape.columns:
            raise UsageError(
                f"{shape} gives no column {name}; it gives: {', '.join(shape.columns)}",
                hint=f"{_HINT}; name it with: … AS {name}",
            )
    for name, found in shape.columns.items():
        if name in types and found not in types[name]:
            raise UsageError(
                f"{shape}: {name} is {found}; it has to be {' or '.join(sorted(types[name]))}",
                hint=f"cast it in the SELECT: {name}::{min(types[name], key=len)}",
            )


def refuse_ambiguous_keys(connection: Connection, users: TableShape) -> None:
    """Let pass only ids by which pages can be told apart: a join may repeat a user.

    Raises:
        UsageError: An id is empty or occurs twice.
    """
    text = load("migrator.legacy", "query.sql")["ambiguous_keys"]
    query = compose(text, query=users.relation, id=ident("id"))
    with wrapped("looking for repeated ids"):
        found = connection.execute(query, {"rows": _SHOWN}).fetchall()
    if found:
        shown = ", ".join("NULL" if pk is None else str(pk) for (pk,) in found)
        raise UsageError(
            f"{users}: these ids are NULL or occur more than once: {shown}",
            hint=f"{_HINT}; every user has to be one row",
        )
