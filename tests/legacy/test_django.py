"""Which columns of a Django user model are read, and what is said when one is not there."""

from __future__ import annotations

import pytest

from migrator.core.errors import UsageError
from migrator.legacy.django import MODEL
from migrator.legacy.sources import open_source
from tests.legacy.test_devise import section, sql

TABLES = """
CREATE TABLE auth_user (id int PRIMARY KEY, email varchar, password varchar, username varchar,
  last_name varchar, is_active boolean, is_staff boolean, date_joined timestamptz, seen date);
CREATE TABLE auth_group (id int, name varchar);
CREATE TABLE auth_user_groups (id int, user_id int, group_id int);
CREATE TABLE logins (user_id int, provider varchar, uid varchar);
INSERT INTO auth_user VALUES (1, 'a@x.org', '!', 'a%{b}', 'B', NULL, true, 'infinity');
INSERT INTO auth_user VALUES (2, NULL, 'scrypt$1$$8$5$no', 'two', NULL, true, NULL, NULL);
INSERT INTO auth_group VALUES (1, 'it''s');
INSERT INTO auth_user_groups VALUES (1, 1, 1);
INSERT INTO logins VALUES (1, 'github', '7')
"""


@pytest.fixture
def tables(fresh_db: str) -> str:
    for statement in TABLES.split(";\n"):
        sql(fresh_db, statement)
    return fresh_db


def test_odd_rows_are_read_as_they_are(tables: str) -> None:
    roles = {"join_table": "auth_user_groups", "column": "is_staff"}
    settings = section(kind="django", roles=roles, identities_table="logins")
    with open_source(tables, settings) as source:
        one, two = source.page_after(None, rows=9).users
        assert source.users(["2"]) == (two,)
    assert (one.password, one.username, one.name) == (None, "a%{b}", "B")
    assert (one.disabled, one.roles, one.identities[0].uid) == (True, ("is_staff", "it's"), "7")
    assert (two.password, two.username, two.name) == ("scrypt$1$$8$5$no", "two", None)
    assert (two.disabled, two.roles, two.created_ms) == (False, (), None)


def test_a_part_that_nothing_plays_is_left_out(tables: str) -> None:
    columns = {"active": "", "username": "", "name": "", "updated_at": "seen"}
    with open_source(tables, section(kind="django", columns=columns)) as source:
        one = source.page_after(None, rows=1).users[0]
    assert (one.disabled, one.username, one.name, one.roles) == (False, None, None, ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"users_table": "person"}, "users_table: there is no table public.person; there are: public"),
        ({"columns": {"locked": "seen"}}, f"locked: unknown; there are for Django: {MODEL.parts[0]}, "),
        ({"columns": {"email": "mail"}}, "auth_user has no column .mail. for email; it has: id, "),
        ({"columns": {"email": ""}}, "auth_user has no column 'email' for email"),
        ({"columns": {"active": "username"}}, "username is character varying and cannot be active"),
        ({"columns": {"created_at": "email"}}, "email is character varying and cannot be created_at"),
        ({"columns": {"verified": "is_staff", "confirmed_at": "seen"}}, "both verified and"),
        ({"roles": {"column": "username"}}, "auth_user has no boolean username"),
        ({"roles": {"join_table": "logins"}}, "logins and public.auth_group are not Django's groups"),
        ({"roles": {"join_table": "auth_user_groups", "table": "none"}}, "there is no table public.none"),
        ({"identities_table": "auth_group"}, "auth_group has no column user_id"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tables: str, changes: dict[str, object], message: str) -> None:
    with (
        pytest.raises(UsageError, match=message),
        open_source(tables, section(kind="django", **changes)),
    ):
        pass


def test_a_select_belongs_to_its_own_kind() -> None:
    with pytest.raises(ValueError, match="goes with a SELECT"):
        section(kind="django", query={"users": "SELECT 1"})
