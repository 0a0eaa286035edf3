"""Which tables and columns of a Laravel application are read, and what is said when one is not there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import UsageError
from migrator.legacy.changes import open_changes
from migrator.legacy.laravel import MODEL
from migrator.legacy.sources import open_source
from tests.legacy.test_devise import section, sql

if TYPE_CHECKING:
    from migrator.core.users import LegacyUser

TABLES = r"""
CREATE TABLE users (id int PRIMARY KEY, email varchar, password varchar, name varchar, provider varchar,
  provider_id bigint, google_id varchar, is_admin boolean, role varchar, tags text[], enabled boolean,
  two_factor_secret text, two_factor_confirmed_at timestamp, removed boolean, proven boolean,
  email_verified_at timestamp, created_at timestamptz, updated_at timestamp);
CREATE TABLE roles (id int, name varchar, guard_name varchar);
CREATE TABLE model_has_roles (role_id int, model_type varchar, model_id bigint);
CREATE TABLE team_roles (role_id int, model_type varchar, model_id varchar, team_id int);
CREATE TABLE two_models (role_id int, model_type varchar, model_id int);
CREATE TABLE logins (user_id int, provider_name varchar, social_id varchar, created_at timestamptz);
INSERT INTO users (id, email, password, provider, provider_id, google_id, is_admin, role, tags, enabled,
  two_factor_secret, two_factor_confirmed_at, removed, proven, email_verified_at, updated_at) VALUES
  (1, 'a%{b}@x.org', '$2y$', 'github', 7, '8', true, 'it''s', '{a,b}', true, 'x', NULL, false, true,
   'infinity', '2024-01-01'),
  (2, 'B@x.org', NULL, 'github', NULL, '', false, NULL, NULL, NULL, '', '2024-01-01', true, false,
   NULL, NULL);
INSERT INTO roles VALUES (1, 'editor', 'web'), (2, 'editor', 'api'), (3, 'root', 'web');
INSERT INTO model_has_roles VALUES (1, 'App\Models\User', 1), (2, 'App\Models\User', 1),
  (3, 'App\Models\Admin', 1);
INSERT INTO team_roles VALUES (1, 'user', '1', 3), (1, 'user', '1', 4), (3, 'user', '1', NULL);
INSERT INTO two_models VALUES (1, 'App\Models\User', 1), (3, 'App\Admin\User', 1);
INSERT INTO logins VALUES (2, 'google', '9', '2024-01-01')
"""


@pytest.fixture
def tables(fresh_db: str) -> str:
    for statement in TABLES.split(";\n"):
        sql(fresh_db, statement)
    return fresh_db


def read(dsn: str, **settings: object) -> tuple[LegacyUser, ...]:
    with open_source(dsn, section(kind="laravel", **settings)) as source:
        users = source.page_after(None, rows=9).users
        assert source.users(["2"]) == users[1:]
    return users


def test_odd_rows_are_read_as_they_are(tables: str) -> None:
    one, two = read(tables, identities_table="logins")
    assert (one.email, one.password, one.second_factor) == ("a%{b}@x.org", "$2y$", True)
    assert (two.email, two.password, two.second_factor) == ("B@x.org", None, False)
    assert {(link.provider, link.uid) for link in one.identities} == {
        ("github", "7"),
        ("google", "8"),
    }
    assert [(i.provider, i.uid, i.created_ms) for i in two.identities] == [
        ("google", "9", 1_704_067_200_000)
    ]


def test_other_columns_play_their_parts(tables: str) -> None:
    columns = {
        "second_factor": "two_factor_confirmed_at",
        "deleted_at": "removed",
        "verified": "proven",
        "active": "enabled",
        "name": "",
    }
    one, two = read(tables, columns=columns)
    assert (one.second_factor, one.deleted_ms, one.confirmed_ms, one.disabled) == (
        False,
        None,
        0,
        False,
    )
    assert (two.second_factor, two.deleted_ms, two.confirmed_ms, two.disabled) == (
        True,
        0,
        None,
        True,
    )


def test_times_are_those_of_the_application(tables: str) -> None:
    march = "UPDATE users SET updated_at = '2024-03-01 12:00', created_at = '2024-03-01 12:00Z'"
    sql(tables, march)
    noon_ms = 1_709_294_400_000
    settings = section(kind="laravel", time_zone="America/New_York")
    with open_source(tables, settings) as source, open_changes(tables, source) as changes:
        one = source.page_after(None, rows=1).users[0]
        since = [datetime.fromtimestamp(noon_ms / 1000 + 3600 * h, UTC) for h in (5, 5.1)]
        found = [list(changes.parted(moment, rows=9)) for moment in since]
    assert (one.updated_ms, one.created_ms) == (noon_ms + 5 * 3_600_000, noon_ms)
    assert [[user.pk for _, users in pages for user in users] for pages in found] == [
        ["1", "2"],
        [],
    ]


@pytest.mark.parametrize(
    ("roles", "found"),
    [
        ({"join_table": "model_has_roles"}, ("editor",)),
        ({"join_table": "model_has_roles", "column": "is_admin"}, ("editor", "is_admin")),
        ({"join_table": "team_roles"}, ("editor:team:3", "editor:team:4", "root")),
        ({"column": "role", "names": {"it's": "its"}}, ("its",)),
        ({"column": "tags"}, ("a", "b")),
    ],
)
def test_roles_are_those_of_the_user_model(
    tables: str, roles: dict[str, object], found: tuple[str, ...]
) -> None:
    model = "user" if roles.get("join_table") == "team_roles" else "User"
    one, two = read(tables, roles=roles, model=model)
    assert (one.roles, two.roles) == (found, ())


def test_the_whole_name_tells_two_models_apart(tables: str) -> None:
    roles = {"join_table": "two_models"}
    assert read(tables, roles=roles, model=r"App\Models\User")[0].roles == ("editor",)
    with pytest.raises(
        UsageError, match=r"roles of App.Admin.User, App.Models.User; which of these"
    ):
        read(tables, roles=roles)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": {"locked": "x"}}, f"locked: unknown; there are for Laravel: {MODEL.parts[0]}, "),
        ({"columns": {"email": "mail"}}, "users has no column 'mail' for email; it has: id, "),
        ({"columns": {"second_factor": "tags"}}, r"tags is text\[\] and cannot be second_factor"),
        ({"columns": {"verified": "proven", "confirmed_at": "updated_at"}}, "both verified and"),
        ({"roles": {"column": "admin"}}, "users has no column admin"),
        ({"roles": {"join_table": "logins"}}, "logins and public.roles are not laravel-permission's"),
        ({"roles": {"join_table": "model_has_roles"}, "model": "Person"}, "which of these is Person"),
        ({"time_zone": "Europe/Entenhausen"}, "PostgreSQL knows no time zone Europe/Entenhausen"),
        ({"identities_table": "roles"}, "roles has not user_id, provider or provider_name, and "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tables: str, changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(tables, **changes)


def test_addresses_that_come_to_one_are_nobodys_unless_one_is_found(tables: str) -> None:
    """Pairs of addresses, and which of the two keeps what they come to: 0 for none."""
    pairs = {
        ("ada@y.org", "Ada@y.org"): 0,
        ("Bob@y.org", "BOB@y.org"): 0,
        ("cid@y.org", "cid@y.org"): 0,
        ("dan@y.org ", "Dan@y.org"): 2,
        (" eve@y.org", "eve@y.org "): 0,
        ("fay@y.org", "removed Fay@y.org"): 1,
        ("Gus@y.org", "other@y.org"): 1,
    }
    insert = "INSERT INTO users (id, email, removed) VALUES ({}, '{}', {})"
    expected = {}
    for number, (pair, keeper) in enumerate(pairs.items(), start=1):
        for place, email in enumerate(pair, start=1):
            pk, address = number * 10 + place, email.removeprefix("removed ")
            sql(tables, insert.format(pk, address, email != address))
            expected[str(pk)] = place == keeper or address == "other@y.org"
    settings = section(kind="laravel", columns={"deleted_at": "removed"})
    with open_source(tables, settings) as source:
        judge = source.email_judge()
        users = source.users(list(expected))
    assert judge.has_repeated
    kept = {u.pk: not judge.loses(u.pk, str(u.email), str(u.email).strip().lower()) for u in users}
    assert kept == expected
    assert judge.loses("99", "New@z.org", "new@z.org"), "changed while the import ran"
    assert not judge.loses("99", "new@z.org", "new@z.org")
