"""Stores whose tables say more than Rails' does: Django's, Laravel's, and the operator's own SELECT."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from migrator.metrics.interface import Grade
from migrator.metrics.session_data import Holds
from migrator.sessions.django_data import content_of_signed
from tests.parts.any_database import run_sql
from tests.sessions.stores import place, store

if TYPE_CHECKING:
    from migrator.sessions.interface import Store

DJANGO_TABLE = """
CREATE TABLE django_session (
  session_key varchar(40) PRIMARY KEY, session_data text NOT NULL, expire_date timestamptz NOT NULL)
"""
LARAVEL_TABLE = """
CREATE TABLE sessions (
  id varchar(255) PRIMARY KEY, user_id bigint, ip_address varchar(45), user_agent text,
  payload text NOT NULL, last_activity integer NOT NULL)
"""
# What Django itself writes, in a process of its own: settings can be made only once.
MAKE_DJANGO = """
import json, sys
from django.conf import settings
settings.configure(SECRET_KEY="x" * 50, SESSION_ENGINE="django.contrib.sessions.backends.db")
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core import signing
encode = lambda value: signing.dumps(value, salt="django.contrib.sessions.SessionStore",
    serializer=SessionStore().serializer, compress=True)
print(json.dumps([encode(value) for value in json.load(sys.stdin)]))
"""
VALUES: list[dict[str, Any]] = [
    {"_auth_user_id": "42", "_auth_user_backend": "b", "_auth_user_hash": "h"},
    {"_auth_user_id": "43", "cart": ["a long, repetitive text " * 40]},
    {"cart": [1, 2]},
    {},
]


@pytest.fixture
def dsn(fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SESSIONS_DSN", fresh_db)
    return fresh_db


def django(**settings: Any) -> Store:
    return store(session_store="django", sessions_table="public.django_session", **settings)


def test_what_django_signs_is_read_without_its_secret(dsn: str) -> None:
    made = subprocess.run(
        [sys.executable, "-c", MAKE_DJANGO],
        input=json.dumps(VALUES),
        capture_output=True,
        text=True,
        check=True,
    )
    signed = json.loads(made.stdout)
    assert signed[1].startswith(".")
    run_sql(dsn, DJANGO_TABLE)
    for number, data in enumerate(signed * 2):
        ends = "2020-01-01" if number >= len(signed) else "2100-01-01 10:30"
        run_sql(
            dsn,
            "INSERT INTO django_session VALUES (%s, %s, %s::timestamp AT TIME ZONE 'UTC')",
            f"secret{number}",
            data,
            ends,
        )
    look = django().look()
    assert (look.holding, look.anonymous, look.undecodable, look.doubts) == (2, 2, 0, ())
    assert look.ends == ((datetime(2100, 1, 1, 11, tzinfo=UTC), 2),)
    pages = [django().holders(after="", rows=1)]
    while pages[-1].after:
        pages.append(django().holders(after=pages[-1].after, rows=1))
    found = [holder for page in pages for holder in page.holders]
    assert {holder.user for holder in found} == {"42", "43"}
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("data", "holds"),
    [
        (base64.b64encode(b'hash:{"_auth_user_id": "1"}').decode(), Holds.USER),
        (base64.b64encode(b'hash:{"cart": 1}').decode(), Holds.NOBODY),
        (base64.b64encode(b"hash:\x80\x05...X\r\x00\x00\x00_auth_user_id").decode(), Holds.USER),
        (base64.b64encode(b"hash:\x80\x05}.").decode(), Holds.NOBODY),
        ("", Holds.UNKNOWN),
        ("not base64", Holds.UNKNOWN),
        ("W10:time:signature", Holds.UNKNOWN),
        (".eJx:time:signature", Holds.UNKNOWN),
        ("💥:time:signature", Holds.UNKNOWN),
    ],
)
def test_older_and_damaged_sessions_of_django(data: str, holds: Holds) -> None:
    assert content_of_signed(data).holds is holds


def laravel(**settings: Any) -> Store:
    return store(session_store="laravel", **settings)


def test_laravel_names_the_user_and_sessions_that_are_over_do_not_count(dsn: str) -> None:
    run_sql(dsn, LARAVEL_TABLE)
    now = int(datetime.now(UTC).timestamp())
    for number, (user, age_s) in enumerate([(7, 60), (7, 4000), (8, 90), (None, 60), (9, 90_000)]):
        run_sql(
            dsn,
            "INSERT INTO sessions VALUES (%s, %s, '127.0.0.1', 'Browser', 'YTowOnt9', %s)",
            f"secret{number}",
            user,
            now - age_s,
        )
    look = laravel(session_ttl="1d").look()
    assert (look.holding, look.anonymous, look.doubts) == (3, 1, ())
    assert sum(count for _, count in look.used) == sum(count for _, count in look.ends) == 3
    assert laravel().look().holding == 4
    first = laravel(session_ttl="1d").holders(after="", rows=1)
    assert [(holder.user, holder.sessions) for holder in first.holders] == [("7", 2)]
    rest = laravel(session_ttl="1d").holders(after=first.after or "", rows=5)
    assert [(holder.user, rest.after) for holder in rest.holders] == [("8", None)]


def test_a_column_that_is_missing_is_named(dsn: str) -> None:
    run_sql(dsn, LARAVEL_TABLE)
    run_sql(dsn, "ALTER TABLE sessions DROP COLUMN user_id")
    (doubt,) = laravel().look().doubts
    assert (doubt.grade, doubt.reason) == (Grade.ERROR, "public.sessions has no column user_id")


def by_query(query: str, **settings: Any) -> Store:
    return store(session_store="sql", sessions={"query": query}, **settings)


def test_a_select_may_give_counts(dsn: str) -> None:
    look = by_query("SELECT sum(3) AS holding, 2 AS others, 9 AS anonymous, 1 AS endless").look()
    assert (look.holding, look.others, look.anonymous, look.endless) == (3, 2, 9, 1)
    assert look.doubts == ()
    assert by_query("SELECT 3 AS holding").holders(after="", rows=5).holders == ()


SESSIONS = """
SELECT u AS user_id, timestamptz '2026-11-23 05:10Z' AS used_at, timestamptz '2100-01-01 00:10Z' AS ends_at
FROM (VALUES (1), (1), (2), (NULL)) AS s (u) -- 100 % of them
"""


def test_a_select_may_give_sessions(dsn: str) -> None:
    look = by_query(SESSIONS).look()
    assert (look.holding, look.anonymous, look.doubts) == (3, 1, ())
    assert look.used == ((datetime(2026, 11, 23, 5, tzinfo=UTC), 3),)
    assert look.ends == ((datetime(2100, 1, 1, 1, tzinfo=UTC), 3),)
    first = by_query(SESSIONS).holders(after="", rows=1)
    assert [(holder.user, holder.sessions, first.after) for holder in first.holders] == [
        ("1", 2, "1")
    ]
    assert by_query("SELECT 7 AS user_id;").look().holding == 1


@pytest.mark.parametrize(
    ("query", "grade", "reason"),
    [
        ("SELECT 1 AS holding WHERE false", Grade.AMBIGUOUS, "gives no row of counts"),
        ("SELECT 1 AS holding UNION ALL SELECT 2", Grade.AMBIGUOUS, "gives several rows"),
        ("SELECT NULL::int AS holding", Grade.AMBIGUOUS, "holding is None"),
        ("SELECT 'NaN'::numeric AS holding", Grade.AMBIGUOUS, "holding is NaN"),
        ("SELECT 1.5 AS holding", Grade.AMBIGUOUS, "holding is 1.5"),
        ("SELECT -1 AS holding", Grade.AMBIGUOUS, "holding is -1"),
        ("SELECT 1 AS sessions", Grade.ERROR, "neither the count `holding`"),
        ("SELECT", Grade.ERROR, "gives nothing"),
        ("SELECT x FROM no_such", Grade.ERROR, "does not exist"),
        ("SELECT 1 AS holding FROM pg_sleep(3)", Grade.UNPROVEN, "an estimate"),
        ("SELECT setval('s', 3) AS holding", Grade.ERROR, "read-only"),
    ],
)
def test_a_select_that_gives_anything_else_is_a_doubt(
    dsn: str, query: str, grade: Grade, reason: str
) -> None:
    run_sql(dsn, "CREATE SEQUENCE s")
    (doubt,) = by_query(query, timeout_s=0.3).look().doubts
    assert (doubt.grade, reason in doubt.reason) == (grade, True), doubt


def test_a_select_is_asked_for_on_postgresql_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONS_DSN", "mysql://app:x@127.0.0.1/app")
    (doubt,) = by_query("SELECT 1 AS holding").look().doubts
    assert (doubt.grade, "knows PostgreSQL only" in doubt.reason) == (Grade.ERROR, True)


@pytest.mark.parametrize(
    "settings",
    [
        {"session_store": "sql"},
        {"session_store": "redis"},
        {"sessions": {"query": "SELECT 1 AS holding"}},
        {"sessions": {"url": "env:X"}},
    ],
)
def test_a_store_goes_with_its_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"goes with a"):
        place(**settings)
