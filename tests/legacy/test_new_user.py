"""The function that gives somebody whom only Auther knows a row, once and never by e-mail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bcrypt
import psycopg
import pytest

from migrator.config.model import LegacySection
from migrator.legacy.connect import open_database
from migrator.legacy.devise import open_devise
from migrator.legacy.identity import IdentityTable
from migrator.legacy.laravel import open_laravel
from migrator.legacy.new_user import devise_row, new_user_function

if TYPE_CHECKING:
    from collections.abc import Callable

USERS = """
CREATE TABLE "odd ""users" (
  "the id" bigserial PRIMARY KEY, "e'mail" varchar NOT NULL UNIQUE, encrypted_password varchar NOT NULL DEFAULT '',
  name text, confirmed_at timestamp, created_at timestamptz NOT NULL, updated_at timestamp NOT NULL,
  "pl%an" text NOT NULL
)
"""
SECTION = LegacySection.model_validate(
    {"dsn": "env:X", "users_table": 'public.odd "users', "columns": {"email": "e'mail"}}
)
LARAVEL = LegacySection.model_validate({"dsn": "env:X", "kind": "laravel"})
ASK = "SELECT outcome, user_pk FROM migrator_new_user('User', %s, %s, %s, %s)"


@dataclass
class Table:
    dsn: str

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def ask(self, sub: str, email: str, *, verified: bool = True) -> tuple[str, str | None]:
        ((outcome, pk),) = self.sql(ASK, sub, email, "Zoë", verified)
        return outcome, pk

    def row(self, pk: str) -> dict[str, Any]:
        ((row,),) = self.sql(
            'SELECT to_jsonb(u) FROM "odd ""users" u WHERE "the id" = %s', int(pk)
        )
        return dict(row)


@pytest.fixture
def make(fresh_db: str) -> Callable[..., Table]:
    def made(**defaults: Any) -> Table:
        table = Table(fresh_db)
        table.sql(USERS)
        with open_devise(fresh_db, SECTION) as source:
            function = new_user_function(devise_row(source.columns), defaults)
            shape = source.columns.table
        with open_database(fresh_db, read_only=False) as connection:
            for _ in range(2):
                IdentityTable(connection, shape, source="User").create(new_user=function)
        return table

    return made


@pytest.fixture
def table(make: Callable[..., Table]) -> Table:
    return make(**{"pl%an": "fr'ee \\ $migrator$", "gone": 1})


def test_a_new_person_gets_one_row_and_a_link(table: Table) -> None:
    outcome, pk = table.ask("sub-1", "zoe@example.org")
    assert outcome == "created"
    assert pk is not None
    row = table.row(pk)
    assert (row["e'mail"], row["name"], row["pl%an"]) == (
        "zoe@example.org",
        "Zoë",
        "fr'ee \\ $migrator$",
    )
    assert row["confirmed_at"] is not None
    link = (
        "SELECT source, user_pk, home, origin, last_auther_at IS NOT NULL FROM migrator_identity"
    )
    assert table.sql(link) == [("User", pk, "auther", "jit", True)]
    assert table.ask("sub-1", "other@example.org") == ("linked", pk)


def test_an_address_is_kept_in_lower_case_however_it_came(table: Table) -> None:
    pk = str(table.ask("sub-1", "Zoe@Example.ORG")[1])
    assert table.row(pk)["e'mail"] == "zoe@example.org"


def test_times_are_now_whatever_the_session_thinks(table: Table) -> None:
    with psycopg.connect(table.dsn, autocommit=True) as connection:
        connection.execute("SET timezone = 'Asia/Tokyo'")
        connection.execute(ASK.encode(), ("s", "s@example.org", None, False))
    near = """SELECT abs(extract(epoch FROM created_at - now())) < 60,
      abs(extract(epoch FROM updated_at - (now() AT TIME ZONE 'UTC'))) < 60, confirmed_at
      FROM "odd ""users" """
    assert table.sql(near) == [(True, True, None)]


def test_no_password_fits_the_new_row_and_no_two_rows_share_a_salt(table: Table) -> None:
    hashes = [
        table.row(str(table.ask(f"s{n}", f"s{n}@example.org")[1]))["encrypted_password"]
        for n in range(5)
    ]
    assert len({value[:29] for value in hashes}) == 5
    for value in hashes:
        assert len(value) == 60
        assert not bcrypt.checkpw(b"", value.encode())


@pytest.mark.parametrize("spelling", ["bob@example.org", "Bob@Example.org"])
def test_an_address_that_a_row_has_is_never_linked(table: Table, spelling: str) -> None:
    columns = '"e\'mail", created_at, updated_at, "pl%%an"'
    table.sql(f'INSERT INTO "odd ""users" ({columns}) VALUES (%s, now(), now(), \'x\')', spelling)
    assert table.ask("sub-9", "bob@example.org") == ("email_taken", None)
    assert table.ask("sub-9", "BOB@example.org") == ("email_taken", None)
    assert table.sql("SELECT count(*) FROM migrator_identity") == [(0,)]


def test_a_sub_of_another_model_gets_no_row(table: Table) -> None:
    table.sql("INSERT INTO migrator_identity VALUES ('Admin', '1', 'sub-1')")
    assert table.ask("sub-1", "new@example.org") == ("email_taken", None)


def test_the_deleted_stay_deleted_until_no_token_of_theirs_is_good(table: Table) -> None:
    table.sql("INSERT INTO migrator_tombstone VALUES ('gone', now() + interval '1 hour')")
    table.sql("INSERT INTO migrator_tombstone VALUES ('long-gone', now() - interval '1 second')")
    assert table.ask("gone", "gone@example.org") == ("tombstone", None)
    assert table.ask("long-gone", "long@example.org")[0] == "created"


def test_fifty_first_requests_at_once_make_one_row(table: Table) -> None:
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda _: table.ask("sub-1", "zoe@example.org"), range(50)))
    assert sorted(outcome for outcome, _ in answers) == ["created"] + ["linked"] * 49
    assert len({pk for _, pk in answers}) == 1
    assert table.sql('SELECT count(*) FROM "odd ""users"') == [(1,)]


def test_two_new_people_with_one_address_at_once_are_one_row(table: Table) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: table.ask(f"sub-{n}", "zoe@example.org")[0], range(8)))
    assert sorted(answers) == ["created"] + ["email_taken"] * 7


def test_a_column_that_needs_a_value_is_said_and_nothing_is_written(
    make: Callable[..., Table],
) -> None:
    table = make()
    assert table.ask("sub-1", "zoe@example.org") == ("column_needs_value", None)
    assert table.sql("SELECT count(*) FROM migrator_identity") == [(0,)]


def test_columns_that_a_removal_took_away_are_not_named(table: Table) -> None:
    table.sql('ALTER TABLE "odd ""users" DROP COLUMN encrypted_password, DROP COLUMN confirmed_at')
    assert table.ask("sub-1", "zoe@example.org")[0] == "created"


def test_the_application_may_call_it_with_its_own_rights(table: Table) -> None:
    table.sql("CREATE ROLE shop_app")
    try:
        table.sql('GRANT SELECT, INSERT, UPDATE ON "odd ""users" TO shop_app')
        table.sql('GRANT USAGE ON SEQUENCE "odd ""users_the id_seq" TO shop_app')
        with (
            open_devise(table.dsn, SECTION) as source,
            open_database(table.dsn, read_only=False) as connection,
        ):
            IdentityTable(connection, source.columns.table, source="User").create()
        with psycopg.connect(table.dsn, autocommit=True) as connection:
            connection.execute("SET ROLE shop_app")
            found = connection.execute(ASK.encode(), ("s", "s@example.org", "", True)).fetchone()
        assert found is not None
        assert found[0] == "created"
    finally:
        table.sql("DROP OWNED BY shop_app")
        table.sql("DROP ROLE shop_app")


def test_a_row_of_laravel_is_one_that_laravel_would_have_made(laravel_db: str) -> None:
    table = Table(laravel_db)
    with open_laravel(laravel_db, LARAVEL) as source:
        assert source.new_row is not None
        function, shape = new_user_function(source.new_row, {}), source.new_row.table
    with open_database(laravel_db, read_only=False) as connection:
        IdentityTable(connection, shape, source="User").create(new_user=function)
    with psycopg.connect(laravel_db, autocommit=True) as connection:
        connection.execute("SET timezone = 'Asia/Tokyo'")
        found = connection.execute(ASK.encode(), ("sub-1", "Zoe@example.org", None, True))
        outcome, pk = found.fetchone() or (None, None)
    assert outcome == "created"
    row = """SELECT email, name, remember_token, password,
      abs(extract(epoch FROM created_at - (now() AT TIME ZONE 'UTC'))) < 60,
      abs(extract(epoch FROM email_verified_at - (now() AT TIME ZONE 'UTC'))) < 60
      FROM users WHERE id::text = %s"""
    ((email, name, token, password, *is_now),) = table.sql(row, pk)
    assert (email, name, token, is_now) == ("zoe@example.org", "zoe", None, [True, True])
    # PHP knows no other prefix: Laravel's `verify` option raises on one.
    assert (password[:7], len(password)) == ("$2y$04$", 60)
    assert not bcrypt.checkpw(b"", password.encode())
