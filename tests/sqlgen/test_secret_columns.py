"""Which columns are taken for secrets, what stands in for them, and when that cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.core.catalog import Column, Constraint, InboundKey, Index, Table
from migrator.sqlgen.secret_columns import blank, omissions, refusals

COLUMN = Column("token", "character varying", "", "", False, "", "", "", "", "", None, (), "")
TABLE = Table(
    "public", "things", 1, 0, "me", "p", (), (), False, False, "d", "", "", columns=(COLUMN,)
)
PLAIN = Index("j", "CREATE INDEX j ON things (token)", False, ("token",), False, "")
ELSEWHERE = Index("k", "CREATE UNIQUE INDEX k ON things (id)", False, ("id",), False, "")
UNIQUE = Index("i", "CREATE UNIQUE INDEX i ON things (token)", False, ("token",), False, "")


@pytest.mark.parametrize(
    "name",
    [
        "encrypted_password", "password_digest", "password_salt", "reset_password_token", "unlock_token",
        "confirmation_token", "remember_token", "token", "refresh_token", "token_digest", "secret",
        "encrypted_otp_secret", "encrypted_otp_secret_iv", "encrypted_otp_secret_salt", "otp_secret",
        "otp_backup_codes", "recovery_codes", "api_key", "private_key", "Access_Token",
    ],
)  # fmt: skip
def test_secrets_by_name(name: str) -> None:
    column = replace(COLUMN, name=name)
    assert [o.column for o in omissions(TABLE, (column,))] == [name]


@pytest.mark.parametrize(
    "name",
    [
        "reset_password_sent_at", "consumed_timestep", "otp_required_for_login", "uid", "provider",
        "token_type", "tokens_left", "public_key", "key", "sign_in_count", "secretary",
    ],
)  # fmt: skip
def test_no_secrets_by_name(name: str) -> None:
    assert omissions(TABLE, (replace(COLUMN, name=name),)) == ()


def test_what_cannot_hold_a_secret_is_none() -> None:
    assert omissions(TABLE, (replace(COLUMN, name="must_change_password", type="boolean"),)) == ()
    assert omissions(TABLE, (replace(COLUMN, generated="s"),)) == ()
    assert omissions(TABLE, (replace(COLUMN, identity="a"),)) == ()
    assert omissions(replace(TABLE, name="authtoken_token"), (replace(COLUMN, name="key"),))


@pytest.mark.parametrize(
    ("column", "indexes", "instead", "expression"),
    [
        (COLUMN, (), "NULL", "NULL"),
        (replace(COLUMN, default="''"), (), "NULL", "NULL"),
        (replace(COLUMN, default="''", not_null=True), (), "its default", ""),
        (replace(COLUMN, default="''", not_null=True), (UNIQUE,), "a random value", "gen_random_uuid"),
        (replace(COLUMN, default="''", not_null=True), (PLAIN, ELSEWHERE), "its default", ""),
        (replace(COLUMN, not_null=True), (), "a random value", "gen_random_uuid"),
        (replace(COLUMN, type="character varying(32)", not_null=True), (), "a random value", "uuid"),
        (replace(COLUMN, name="password"), (), "a hash that no password fits", "repeat('.', 31)"),
        (replace(COLUMN, name="password", type="public.citext"), (), "a hash that no password fits", "repeat"),
        (replace(COLUMN, name="password", type="character varying(59)"), (), "NULL", "NULL"),
    ],
)  # fmt: skip
def test_what_stands_in(
    column: Column, indexes: tuple[Index, ...], instead: str, expression: str
) -> None:
    (found,) = omissions(replace(TABLE, indexes=indexes), (column,))
    assert (found.column, found.instead) == (column.name, instead)
    assert expression in found.expression
    assert bool(found.expression) == bool(expression)


CHECK = Constraint("c", "c", "CHECK (token <> '')", ("token",), True, "")
INBOUND = InboundKey("public", "o", 2, "f", "", ("t",), ("token",), True, "")


@pytest.mark.parametrize(
    ("table", "column", "why"),
    [
        (replace(TABLE, constraints=(CHECK,)), COLUMN, "constraint c needs them"),
        (replace(TABLE, constraints=(replace(CHECK, kind="p"),)), COLUMN, "constraint c needs them"),
        (replace(TABLE, constraints=(replace(CHECK, kind="f"),)), COLUMN, "constraint c needs them"),
        (replace(TABLE, constraints=(replace(CHECK, kind="x"),)), COLUMN, "constraint c needs them"),
        (replace(TABLE, inbound=(INBOUND,)), COLUMN, "constraint f needs them"),
        (TABLE, replace(COLUMN, type="bytea", not_null=True), "NOT NULL and of type bytea"),
        (
            replace(TABLE, indexes=(UNIQUE,)),
            replace(COLUMN, type="bytea", not_null=True, default="''"),
            "NOT NULL and of type bytea",
        ),
        (TABLE, replace(COLUMN, type="character varying(31)", not_null=True), "NOT NULL and of type"),
    ],
)  # fmt: skip
def test_what_cannot_be_left_out_is_refused(table: Table, column: Column, why: str) -> None:
    (refused,) = refusals(table, (column,))
    assert refused.startswith("public.things.token: its values are secrets")
    assert why in refused


def test_what_can_be_left_out_is_not_refused() -> None:
    unique = replace(CHECK, kind="u", definition="UNIQUE (token)")
    assert refusals(replace(TABLE, constraints=(unique,), indexes=(UNIQUE,)), (COLUMN,)) == []
    assert refusals(replace(TABLE, constraints=(CHECK,)), (replace(COLUMN, name="uid"),)) == []


def test_what_an_erased_row_keeps() -> None:
    assert blank(COLUMN) == "NULL"
    assert blank(replace(COLUMN, not_null=True)) == "NULL"
    assert blank(replace(COLUMN, not_null=True, default="0")) == "DEFAULT"
    assert "repeat('.', 31)" in blank(replace(COLUMN, name="encrypted_password", default="''"))
