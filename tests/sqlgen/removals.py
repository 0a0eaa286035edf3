"""Removals of a small table and of columns, for tests of one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migrator.core.catalog import Catalog, Column, Constraint, Index, Sequence, Table
from migrator.sqlgen.removal import Removal, make_removal
from tests.sqlgen.golden import ACCESS, RULES

if TYPE_CHECKING:
    from migrator.core.access import Access

COLUMN = Column("id", "bigint", "", "", True, "", "", "", "", "", None, (), "")
LOCKED = replace(COLUMN, name="locked_at", type="timestamp", not_null=False)
USERS_NAME = ("public", "users")
TABLE = Table("public", "logins", 11, 3, "dba", "p", (), (), False, False, "d", "", "")
LOGINS = replace(TABLE, columns=(COLUMN,))
KEY = Constraint("users_pkey", "p", "PRIMARY KEY (id)", ("id",), True, "")
USERS = replace(TABLE, name="users", oid=10, columns=(COLUMN, LOCKED), constraints=(KEY,))
LOCKABLE = replace(USERS, columns=(COLUMN, LOCKED, replace(LOCKED, name="failed_attempts")))
INDEX = Index("by_lock", "CREATE INDEX …", False, ("locked_at",), False, "")
SEQUENCE = Sequence("logins_id_seq", "id", "serial", "bigint", 1, 1, 1, 9, 1, False, "")


def made(
    *tables: Table,
    users: Table = USERS,
    columns: tuple[str, ...] = (),
    version: int = 180_000,
    access: Access = ACCESS,
    **rules: Any,
) -> Removal:
    """Choose these tables, and these columns of the users table."""
    return make_removal(
        Catalog("shop", version, (*tables, users)),
        tables=tuple((table.schema, table.name) for table in tables),
        users=("public", "users"),
        columns=columns,
        rules=replace(RULES, **rules),
        access=access,
    )
