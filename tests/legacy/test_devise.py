"""Reading users from real tables, with everything that a column can hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.config.model import LegacySection
from migrator.core.errors import DependencyError, UsageError
from migrator.legacy.devise import open_devise

if TYPE_CHECKING:
    from migrator.core.users import LegacyUser

TABLE = """
CREATE TABLE users (
  id {key} PRIMARY KEY, email varchar, encrypted_password varchar, name varchar,
  confirmed_at timestamp, locked_at timestamptz, created_at timestamp(6), updated_at timestamp(6)
)
"""
BEYOND_DATES_MS = 8_640_000_000_000_000


def section(**changes: object) -> LegacySection:
    return LegacySection.model_validate({"dsn": "env:UNUSED", **changes})


def sql(dsn: str, statement: str, *values: object) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode(), values or None)


def read(dsn: str, rows: int = 2, **changes: object) -> list[LegacyUser]:
    with open_devise(dsn, section(**changes)) as source:
        return [user for page in source.pages(rows=rows) for user in page.users]


@pytest.mark.parametrize(
    ("key", "pks"),
    [
        ("bigint", ["-5", "0", str(2**53 + 1), str(2**63 - 1)]),
        ("uuid", [f"0000000{n}-0000-4000-8000-000000000000" for n in range(1, 5)]),
        ("text", ["", "a\tb", "b\\N", "ü'\""]),
        ('text COLLATE "C"', ["A", "Z", "a", "z"]),
    ],
)
def test_pages_hold_every_key_once_whatever_its_type(
    fresh_db: str, key: str, pks: list[str]
) -> None:
    sql(fresh_db, TABLE.format(key=key))
    sql(fresh_db, "CREATE TABLE ids (user_id text, provider text, uid text)")
    for pk in pks:
        sql(fresh_db, "INSERT INTO users (id, email) VALUES (%s, 'x')", pk)
    for rows in (1, 3, 4, 5):
        assert sorted(user.pk for user in read(fresh_db, rows)) == sorted(pks)


def test_times_are_exact_milliseconds_and_infinity_is_beyond_all_dates(fresh_db: str) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    times = {
        "2026-11-23 03:00:00.123999": 1795402800123,
        "1969-12-31 23:59:59.9999": -1,
        "12026-01-01 00:00:00": 317336745600000,
        "4713-01-01 BC": -210863520000000,
    }
    for pk, text in enumerate([*times, "infinity", "-infinity"]):
        sql(
            fresh_db,
            "INSERT INTO users (id, created_at, locked_at) VALUES (%s, %s, %s)",
            pk,
            text,
            f"{text}+02" if text[0].isdigit() and "BC" not in text else None,
        )
    found = read(fresh_db)
    assert [user.created_ms for user in found[:4]] == list(times.values())
    assert found[0].locked_ms == 1795402800123 - 2 * 3_600_000
    assert found[4].created_ms > BEYOND_DATES_MS
    assert found[5].created_ms < -BEYOND_DATES_MS
    assert found[0].confirmed_ms is None


def test_identities_come_with_their_page(fresh_db: str) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    sql(fresh_db, "ALTER TABLE users ADD provider text, ADD uid text")
    sql(
        fresh_db,
        "CREATE TABLE ids (user_id bigint, provider text, uid text, created_at timestamp)",
    )
    for pk in range(1, 6):
        sql(fresh_db, "INSERT INTO users (id, email) VALUES (%s, 'x')", pk)
    sql(fresh_db, "UPDATE users SET provider = 'own', uid = 'o' WHERE id = 5")
    links = [(1, "g", "a\tb"), (3, "g", "c"), (3, "f", "d"), (5, "g", "c"), (9, "g", "gone")]
    for link in links:
        sql(fresh_db, "INSERT INTO ids VALUES (%s, %s, %s, '1970-01-01 00:00:01')", *link)
    found = {u.pk: u.identities for u in read(fresh_db, identities_table="public.ids")}
    said = {pk: [(i.provider, i.uid) for i in all_] for pk, all_ in found.items()}
    assert said == {
        "1": [("g", "a\tb")],
        "2": [],
        "3": [("f", "d"), ("g", "c")],
        "4": [],
        "5": [("g", "c"), ("own", "o")],
    }
    assert found["1"][0].created_ms == 1000
    with open_devise(fresh_db, section(identities_table="public.ids")) as source:
        assert source.contested_identities() == {("g", "c")}


def test_a_second_factor_is_seen_in_flags_and_in_dates(fresh_db: str) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    sql(fresh_db, "ALTER TABLE users ADD otp_required_for_login boolean, ADD otp_since timestamp")
    sql(
        fresh_db,
        "INSERT INTO users (id, otp_required_for_login) VALUES (1, true), (2, false), (3, NULL)",
    )
    sql(fresh_db, "UPDATE users SET otp_since = now() WHERE id = 2")
    assert [user.second_factor for user in read(fresh_db)] == [True, False, False]
    columns = {"otp_required_for_login": "otp_since"}
    assert [user.second_factor for user in read(fresh_db, columns=columns)] == [False, True, False]


def test_a_user_name_is_read_only_when_asked_for(fresh_db: str) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    sql(fresh_db, "ALTER TABLE users ADD username text")
    for pk, name in ((1, "Ada"), (2, "ada"), (3, "bob")):
        sql(fresh_db, "INSERT INTO users (id, username) VALUES (%s, %s)", pk, name)
    assert [user.username for user in read(fresh_db)] == [None] * 3
    columns = {"username": "username"}
    assert [user.username for user in read(fresh_db, columns=columns)] == ["Ada", "ada", "bob"]
    with open_devise(fresh_db, section(columns=columns)) as source:
        assert source.contested_usernames() == {"ada"}


def test_names_that_need_quoting_are_quoted(fresh_db: str) -> None:
    sql(fresh_db, 'CREATE SCHEMA "My App"')
    sql(
        fresh_db,
        'CREATE TABLE "My App"."the ""users""" ("Id" int PRIMARY KEY, "e mail {x} %s" text, pw text)',
    )
    sql(fresh_db, 'INSERT INTO "My App"."the ""users""" VALUES (1, \'a@b.c\', \'h\')')
    columns = {"email": "e mail {x} %s", "encrypted_password": "pw"}
    (user,) = read(fresh_db, users_table='My App.the "users"', columns=columns)
    assert (user.pk, user.email, user.password, user.created_ms) == ("1", "a@b.c", "h", None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"users_table": "public.people"},
            r"there is no table public\.people; there are: public\.users",
        ),
        ({"columns": {"mail": "email"}}, r"legacy\.columns\.mail: unknown; there are: id, email"),
        ({"columns": {"deleted_at": "gone"}}, r"has no column 'gone' for deleted_at; it has: id"),
        ({"columns": {"email": ""}}, "has no column 'email' for email"),
        ({"identities_table": "public.users"}, r"public\.users has no column user_id; it has: id"),
    ],
)
def test_what_is_missing_is_named_with_what_there_is(
    fresh_db: str, changes: dict[str, object], message: str
) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    with pytest.raises(UsageError, match=message):
        read(fresh_db, **changes)


def test_an_optional_part_can_be_switched_off(fresh_db: str) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    sql(fresh_db, "INSERT INTO users (id, name) VALUES (1, 'Ada')")
    (user,) = read(fresh_db, columns={"name": ""})
    assert user.name is None


def test_the_reader_cannot_write_and_says_what_failed(fresh_db: str) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    with (
        pytest.raises(DependencyError, match="read-only transaction"),
        open_devise(fresh_db, section()) as source,
    ):
        source._connection.execute("DELETE FROM users")


def test_a_server_that_goes_away_in_the_middle_is_a_dependency(fresh_db: str) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    sql(fresh_db, "INSERT INTO users (id) SELECT generate_series(1, 10)")
    end_it = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'migrator'"
    with open_devise(fresh_db, section()) as source:
        pages = source.pages(rows=2)
        assert len(next(pages).users) == 2
        sql(fresh_db, end_it)
        with pytest.raises(DependencyError, match="reading users") as caught:
            next(pages)
    assert caught.value.exit_code == 4


def test_shared_addresses_are_judged_as_devise_finds_people(fresh_db: str) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    emails = [
        "a@x.org",
        "A@x.org",
        "B@x.org",
        "b@X.org",
        "C@x.org",
        "d@x.org",
        "d@x.org",
        "Ü@x.org",
    ]
    for pk, email in enumerate(emails):
        sql(fresh_db, "INSERT INTO users (id, email) VALUES (%s, %s)", pk, email)
    with open_devise(fresh_db, section()) as source:
        judge = source.email_judge()
        users = [replace(user) for page in source.pages(rows=3) for user in page.users]
    kept = [
        user.email
        for user in users
        if not judge.loses(user.pk, user.email or "", (user.email or "").strip().lower())
    ]
    assert kept == ["a@x.org", "C@x.org", "d@x.org", "Ü@x.org"]


def test_a_case_insensitive_column_is_no_collision_with_itself(pg15_db: str) -> None:
    fresh_db = pg15_db
    sql(
        fresh_db,
        "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    )
    sql(
        fresh_db,
        "CREATE TABLE users (id int PRIMARY KEY, email text COLLATE ci UNIQUE, encrypted_password text)",
    )
    sql(fresh_db, "INSERT INTO users VALUES (1, 'Ada@x.org')")
    with open_devise(fresh_db, section()) as source:
        assert not source.email_judge().loses("1", "Ada@x.org", "ada@x.org")


@pytest.mark.parametrize(
    ("statement", "repeated"),
    [
        ("CREATE UNIQUE INDEX ON users (email)", False),
        ("CREATE INDEX ON users (email)", True),
        ("CREATE UNIQUE INDEX ON users (email) WHERE id > 2", True),
        ("CREATE UNIQUE INDEX ON users (email, id)", True),
        ("CREATE UNIQUE INDEX ON users (name)", True),
        ("CREATE UNIQUE INDEX ON users (email); CREATE TABLE more () INHERITS (users)", True),
    ],
)
def test_repeated_addresses_are_looked_for_unless_an_index_forbids_them(
    fresh_db: str, statement: str, repeated: bool
) -> None:
    sql(fresh_db, TABLE.format(key="bigint"))
    for part in statement.split("; "):
        sql(fresh_db, part)
    place = "more" if "more" in statement else "users"
    sql(fresh_db, "INSERT INTO users (id, email, name) VALUES (1, 'a@x.org', 'a')")
    if repeated:
        sql(fresh_db, f"INSERT INTO {place} (id, email, name) VALUES (2, 'a@x.org', 'b')")
    with open_devise(fresh_db, section()) as source:
        judge = source.email_judge()
        assert judge.has_repeated is repeated
        assert judge.loses("2", "a@x.org", "a@x.org") is repeated
