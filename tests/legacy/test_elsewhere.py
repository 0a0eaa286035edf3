"""What MariaDB and SQLite hold that PostgreSQL would not: their values, comparisons and keys."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from migrator.config.model import LegacySection
from migrator.core.errors import UsageError
from migrator.legacy.connect import open_database
from migrator.legacy.devise import open_devise
from migrator.legacy.sqlite.values import flag, milliseconds
from tests.parts import require
from tests.parts.any_database import run_sql
from tests.parts.devise import ask_devise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.core.users import LegacyUser
    from tests.parts.mariadb import MariaDbServer

NEVER = 2**63 - 1
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
AT_MS = 1767323045678
WORDS = ("first word", "second word")
# By whether the key is odd.
HASHES = {
    1: "$2a$04$IBZj.gwCR0hnWpuqzJxvPOLkOmMdPr0kIGXHi96amDnPDihZWnpcm",
    0: "$2a$04$7vM8hc4EHmMeSn5NFuzr2.BLx7T5Z/cCSw.YLbiNC0gKUK8H1UpHy",
}


@pytest.fixture
def maria(mariadb: MariaDbServer) -> Iterator[str]:
    """The DSN of an empty MariaDB database, dropped after the test."""
    with mariadb.temporary_database() as dsn:
        yield dsn


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The DSN of an empty SQLite file."""
    path = tmp_path / "app.sqlite3"
    sqlite3.connect(path).close()
    return f"sqlite3:{path}"


def settings(**more: Any) -> LegacySection:
    return LegacySection.model_validate({"dsn": "env:UNUSED", **more})


def users_of(dsn: str, *, rows: int = 100, **more: Any) -> dict[str, LegacyUser]:
    with open_devise(dsn, settings(**more)) as source:
        return {user.pk: user for page in source.pages(rows=rows) for user in page.users}


def losers_of(dsn: str) -> list[str]:
    """The keys of those who lose a shared address."""
    with open_devise(dsn, settings()) as source:
        judge = source.email_judge()
        (page,) = source.pages(rows=100)
        return [
            user.pk
            for user in page.users
            if user.email and judge.loses(user.pk, user.email, user.email.strip().lower())
        ]


def test_times_of_mariadb_are_in_utc_whatever_their_column_and_the_servers_zone(
    maria: str,
) -> None:
    run_sql(
        maria,
        "CREATE TABLE users (id int PRIMARY KEY, email varchar(99), encrypted_password varchar(99),"
        " created_at datetime(6), updated_at timestamp(6) NULL, confirmed_at datetime,"
        " locked_at date, deleted_at datetime)",
    )
    run_sql(
        maria,
        "INSERT INTO users VALUES (1, 'a@example.org', '', '2026-01-02 03:04:05.678901',"
        " '2026-01-02 03:04:05.678901', '1969-12-31 23:59:59', '2026-01-02', '0000-00-00'),"
        " (2, 'b@example.org', '', '1969-12-31 23:59:59.999500', NULL, '0000-00-00', '0000-00-00',"
        " '2026-00-00')",
    )
    users = users_of(maria)
    assert (users["1"].created_ms, users["1"].updated_ms) == (AT_MS, AT_MS)
    assert (users["1"].confirmed_ms, users["1"].deleted_ms) == (-1000, None)
    assert users["1"].locked_ms == AT_MS - AT_MS % 86_400_000
    assert (users["2"].created_ms, users["2"].confirmed_ms) == (-1, None)
    assert users["2"].deleted_ms == NEVER, "a date that is none is refused by name later"


@pytest.mark.parametrize(
    ("stored", "ms"),
    [
        ("2026-01-02 03:04:05.678901", AT_MS),
        ("2026-01-02T03:04:05.678901Z", AT_MS),
        ("2026-01-02 03:04:05", AT_MS - 678),
        ("2026-01-02 05:04:05.678901+02:00", AT_MS),
        ("1969-12-31 23:59:59.999500", -1),
        ("2026-01-02", AT_MS - AT_MS % 86_400_000),
        ("", None),
        (None, None),
        ("infinity", NEVER),
        (1767323045, NEVER),
        (1.5, NEVER),
    ],
)
def test_times_of_sqlite_are_read_as_rails_reads_them(stored: object, ms: int | None) -> None:
    assert milliseconds(stored) == ms


def test_flags_of_sqlite_are_read_as_rails_reads_them() -> None:
    assert all(flag(stored) is True for stored in (1, 2, "1", "t", "true", "yes"))
    assert all(flag(stored) is False for stored in (0, "0", "f", "FALSE", "off"))
    assert flag("") is flag(None) is None


def test_flags_say_the_same_on_both(maria: str, file: str) -> None:
    columns = "email varchar(99), encrypted_password varchar(99), confirmed_at boolean"
    for dsn in (maria, file):
        run_sql(
            dsn,
            f"CREATE TABLE users (id integer PRIMARY KEY, {columns},"
            " otp_required_for_login boolean, admin boolean)",
        )
        run_sql(dsn, "INSERT INTO users VALUES (1, 'a@x.org', '', 1, 1, 1)")
        run_sql(dsn, "INSERT INTO users VALUES (2, 'b@x.org', '', 0, 0, 0)")
        run_sql(dsn, "INSERT INTO users VALUES (3, 'c@x.org', '', NULL, NULL, NULL)")
        users = users_of(dsn, roles={"column": "admin"})
        assert [u.second_factor for u in users.values()] == [True, False, False]
        assert [u.confirmed_ms for u in users.values()] == [0, None, None]
        assert [u.roles for u in users.values()] == [("admin",), (), ()]


def test_texts_come_over_from_every_character_set(maria: str) -> None:
    run_sql(
        maria,
        "CREATE TABLE users (id int PRIMARY KEY,"
        " email varchar(99) CHARACTER SET latin1, encrypted_password varbinary(99),"
        " name varchar(99) CHARACTER SET utf8mb3, username varchar(99) CHARACTER SET utf8mb4)",
    )
    query = "INSERT INTO users VALUES (%s, %s, %s, %s, %s)"
    run_sql(maria, query, 1, "josé@example.org", b"$2a$04$x", "Łuk\tasz\\", "☃😀")
    run_sql(maria, query, 2, "b@example.org", b"\xff\xfe", "x", "x")
    users = users_of(maria, columns={"username": "username"})
    one = users["1"]
    assert (one.email, one.password) == ("josé@example.org", "$2a$04$x")
    assert (one.name, one.username) == ("Łuk\tasz\\", "☃😀")
    assert users["2"].password == "\udcff\udcfe", (
        "bytes that are no text are refused by name later"
    )


@pytest.mark.parametrize(
    ("kind", "keys", "integers"),
    [
        ("bigint unsigned", ["1", "18446744073709551615"], True),
        ("char(36)", ["1c9a1f0e-0000-4000-8000-00000000000a", "ABC", "xyz"], False),
        ("uuid", ["1c9a1f0e-0000-4000-8000-00000000000a"], False),
    ],
)
def test_keys_of_every_kind_are_paged_and_found_again(
    maria: str, kind: str, keys: list[str], integers: bool
) -> None:
    run_sql(
        maria,
        f"CREATE TABLE users (id {kind} PRIMARY KEY, email varchar(99), encrypted_password text)",
    )
    for key in keys:
        run_sql(maria, "INSERT INTO users VALUES (%s, %s, '')", key, f"{key.lower()}@x.org")
    assert list(users_of(maria, rows=1)) == keys
    with open_devise(maria, settings()) as source:
        assert source.integer_keys is integers
        assert [user.pk for user in source.users([*keys, "99", "no key"])] == keys
        assert source.users([]) == ()


def test_a_key_of_bytes_is_refused_by_name(maria: str) -> None:
    run_sql(
        maria,
        "CREATE TABLE users (id binary(16) PRIMARY KEY, email text, encrypted_password text)",
    )
    with pytest.raises(UsageError, match="keys of bytes"), open_devise(maria, settings()):
        pass


def test_where_capitals_do_not_tell_addresses_apart_the_first_row_is_whom_the_form_finds(
    maria: str,
) -> None:
    """The same as the real Devise does on that column."""
    require("rails_elsewhere")
    run_sql(
        maria,
        "CREATE TABLE users (id int PRIMARY KEY, email varchar(99) COLLATE utf8mb4_general_ci,"
        " encrypted_password varchar(99), failed_attempts int DEFAULT 0, locked_at datetime,"
        " confirmed_at datetime DEFAULT '2020-01-01', deleted_at datetime)",
    )
    emails = [
        "ada@x.org",
        "Ada@x.org",
        "Bob@x.org",
        "bob@x.org",
        "cid@x.org ",
        "cid@x.org",
        "Dan@x.org",
    ]
    emails += ["eve@x.org", "éve@x.org"]
    hashes = {pk: HASHES[pk % 2] for pk in range(1, len(emails) + 1)}
    for pk, email in enumerate(emails, start=1):
        query = "INSERT INTO users (id, email, encrypted_password) VALUES (%s, %s, %s)"
        run_sql(maria, query, pk, email, hashes[pk])
    # Who has the odd keys has the first word, the others the second.
    asked = [
        (name, word)
        for name in ("ada@x.org", "bob@x.org", "dan@x.org", "éve@x.org")
        for word in WORDS
    ]
    assert ask_devise(maria, asked, pepper="") == [
        *("signs in", "wrong password"),  # 1, not 2
        *("signs in", "wrong password"),  # 3, not 4
        *("signs in", "wrong password"),  # 7, although it is in capitals
        *("wrong password", "signs in"),  # 8, not 9: an accent tells nobody apart
    ]
    assert losers_of(maria) == ["2", "3", "4", "5", "6", "9"]


def test_a_unique_address_needs_no_second_look(maria: str, file: str) -> None:
    for dsn in (maria, file):
        run_sql(
            dsn,
            "CREATE TABLE users (id integer PRIMARY KEY, email varchar(99), encrypted_password text)",
        )
        run_sql(dsn, "CREATE UNIQUE INDEX one_each ON users (email)")
        run_sql(dsn, "INSERT INTO users VALUES (1, 'a@x.org', ''), (2, 'b@x.org', '')")
        with open_devise(dsn, settings()) as source:
            assert not source.email_judge().has_repeated
            assert source.email_judge(["a@x.org", "A@x.org"]).is_claimed("a@x.org")


def test_moments_are_asked_for_in_utc(maria: str, file: str) -> None:
    at = AT.astimezone(timezone(timedelta(hours=5)))
    for dsn in (maria, file):
        with open_database(dsn) as connection:
            ((found,),) = connection.execute("SELECT %(at)s", {"at": at}).fetchall()
            assert found == "2026-01-02 03:04:05.678901"
            assert abs(connection.activity().now - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("local", "in_utc"),
    [
        ("11-01 00:30", "11-01 04:30"),
        ("11-01 01:30", "11-01 05:30"),
        ("11-01 02:30", "11-01 07:30"),
    ],
)
def test_an_hour_that_comes_twice_counts_as_the_first(maria: str, local: str, in_utc: str) -> None:
    """The server's zone leaves summer time on 2026-11-01 at 06:00 UTC."""
    with open_database(maria) as connection:
        query = connection.queries("connect.sql")["transactions"]
        open_ones = (
            "FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID()"
        )
        assert open_ones in query
        asked = query.replace(
            open_ones, "FROM (SELECT CAST(%(at)s AS DATETIME) AS trx_started) AS one"
        )
        ((_, oldest),) = connection.execute(asked, {"at": f"2026-{local}"}).fetchall()
    assert oldest == datetime.fromisoformat(f"2026-{in_utc}+00:00")
