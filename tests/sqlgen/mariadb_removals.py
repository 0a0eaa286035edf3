"""A removal of two tables from a MariaDB, with what a server would say of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migrator.core.catalog import Catalog, Column, Constraint, Table
from migrator.sqlgen.mariadb.removal import make_removal
from migrator.sqlgen.removal import LockRules, Removal, Rules

ACKNOWLEDGED = ("stages", "scream_window", "code_first")
RULES = Rules(
    locks=LockRules(timeout_ms=1001, attempts=5),
    application_roles=(),
    guard_role="guard",
    scream_window_s=604_800,
    log_watched=False,
    quiet_s=86_400,
    heartbeat_s=60,
    expected=1,
    erase="no",
    acknowledged=ACKNOWLEDGED,
    include_secrets=False,
)
ID = Column("id", "bigint(20)", "", "", True, "", "d", "", "", "", None, (), "")
NAME = replace(ID, name="50% 'n\\", type="varchar(40)", collation="latin1_bin", identity="")
NEARLY = replace(ID, name="nearly", type="float", not_null=False, identity="")
SEAL = replace(NEARLY, name="seal", type="varbinary(40)")
TWICE = replace(NEARLY, name="twice", type="int(11)", generated="v", default='"id" * 2')
TOKEN = replace(NAME, name="reset_token", type="varchar(64)")
PASSWORD = replace(TOKEN, name="password_digest")
SECRET = replace(TOKEN, name="secret", not_null=False)
COUNTED = replace(TOKEN, name="api_key", default="'none'")
PRIMARY = Constraint("PRIMARY", "p", "", ("id",), True, "")
USERS = Table(
    "shop", "users", 10, 3, "", "p", (), (), False, False, "", "", "", columns=(ID,), constraints=(PRIMARY,)
)  # fmt: skip
KEY = Constraint(
    'odd "user',
    "f",
    'FOREIGN KEY ("id") REFERENCES "shop"."users" ("id") ON DELETE CASCADE',
    ("id",),
    True,
    "",
    ("shop", "users"),
    ("id",),
)
TO_LOGINS = replace(
    KEY,
    name="login",
    definition='FOREIGN KEY ("id", "seal") REFERENCES "shop"."logins" ("id", "seal")',
    columns=("id", "seal"),
    target=("shop", "logins"),
    target_columns=("id", "seal"),
)
LOGINS = replace(
    USERS,
    name="logins",
    oid=11,
    columns=(ID, NAME, NEARLY, SEAL, TWICE, TOKEN, PASSWORD, SECRET, COUNTED),
    constraints=(PRIMARY, KEY),
    definition=(
        'CREATE TABLE "logins" (\n  "id" bigint(20) NOT NULL,\n  "reset_token" varchar(64) NOT NULL COMMENT \'a, b\',\n'
        '  "password_digest" varchar(64) NOT NULL,\n  "secret" varchar(64) DEFAULT NULL\n) ENGINE=InnoDB'
    ),
)
VISITS = replace(
    USERS,
    name='a "visit',
    oid=12,
    columns=(ID, SEAL),
    constraints=(TO_LOGINS,),
    definition='CREATE TABLE "a ""visit" (\n  "id" bigint(20) NOT NULL\n) ENGINE=InnoDB',
)


def made(*tables: Table, version: int = 101_119, users: Table = USERS, **rules: Any) -> Removal:
    """Choose these tables."""
    return make_removal(
        Catalog("shop", version, (*tables, users)),
        tables=tuple((table.schema, table.name) for table in tables),
        users=("shop", "users"),
        rules=replace(RULES, **rules),
    )
