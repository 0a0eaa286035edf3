"""Users by home, counted in a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.config.secrets import SecretRef
from migrator.core.clock import SystemClock
from migrator.metrics.homes import APPLICATION_NAME, Homes
from migrator.metrics.interface import Grade
from migrator.metrics.look import Look
from migrator.metrics.measures import MEASURES, Terms
from tests.parts.stage_file import create_side_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

TERMS = Terms(1, timedelta(seconds=30), control=True, base=None)
USERS = """
INSERT INTO migrator_identity
  (source, user_pk, auther_id, home, pinned_reason, last_legacy_at, last_auther_at)
VALUES
  ('User', '1', 'a1', 'legacy', NULL, now() - interval '10 minutes', NULL),
  ('User', '2', 'a2', 'legacy', NULL, now() - interval '20 hours', NULL),
  ('User', '3', 'a3', 'legacy', 'otp', now() - interval '200 days', NULL),
  ('User', '4', 'a4', 'auther', NULL, now() - interval '3 days', now() - interval '2 days'),
  ('User', '5', 'a5', 'auther', NULL, NULL, now()),
  ('AdminUser', '1', 'b1', 'legacy', NULL, now(), NULL)
"""


@pytest.fixture
def db(devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    create_side_tables(devise_db)
    monkeypatch.setenv("APP_DSN", devise_db)
    with psycopg.connect(devise_db, autocommit=True) as connection:
        connection.execute("DELETE FROM migrator_identity")
        connection.execute(USERS)
        yield connection


def homes(*, timeout_s: float = 5, schema: str = "public") -> Homes:
    return Homes(
        dsn=SecretRef("env", "APP_DSN"),
        root=Path(),
        schema=schema,
        model="User",
        seen_within=timedelta(days=1),
        timeout=timedelta(seconds=timeout_s),
    )


@pytest.mark.usefixtures("db")
def test_users_of_one_model_are_counted_by_home_and_by_when_they_were_seen() -> None:
    found = homes().look()
    assert found.doubts == ()
    assert (dict(found.homes), found.pinned) == ({"legacy": 3, "auther": 2}, 1)
    assert (found.seen_on_legacy, found.total_estimate) == (2, 5)
    never = {"1h": 0, "1d": 0, "7d": 0, "30d": 0, "90d": 0, "longer": 0, "never": 0}
    legacy = {"1h": 1, "1d": 1, "7d": 1, "longer": 1, "never": 1}
    assert dict(found.last_legacy) == never | legacy
    assert dict(found.last_auther) == never | {"1h": 1, "7d": 1, "never": 3}


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(("measure", "value"), [("legacy_homes", 3), ("users_seen_on_legacy", 2)])
def test_the_measures_say_what_was_counted(measure: str, value: int) -> None:
    look = Look(SystemClock().now(), homes=homes().look())
    reading = MEASURES[measure].read(look, TERMS)  # type: ignore[index]
    assert (reading.value, reading.doubts) == (value, ())
    assert reading.evidence["pinned"] == 1


@pytest.mark.parametrize("measure", ["legacy_homes", "users_seen_on_legacy"])
def test_a_table_that_knows_nobody_proves_nothing(db: psycopg.Connection, measure: str) -> None:
    db.execute("DELETE FROM migrator_identity WHERE source = 'User'")
    reading = MEASURES[measure].read(Look(SystemClock().now(), homes=homes().look()), TERMS)  # type: ignore[index]
    assert reading.value is None
    assert [(d.grade, "knows no User" in d.reason) for d in reading.doubts] == [
        (Grade.NO_DATA, True)
    ]


def test_where_no_shim_ever_noted_anybody_nobody_seen_proves_nothing(
    db: psycopg.Connection,
) -> None:
    db.execute("UPDATE migrator_identity SET last_legacy_at = NULL")
    seen = MEASURES["users_seen_on_legacy"]
    reading = seen.read(Look(SystemClock().now(), homes=homes().look()), TERMS)
    assert (reading.value, reading.doubts) == (0, ())
    db.execute("UPDATE migrator_identity SET last_auther_at = NULL")
    reading = seen.read(Look(SystemClock().now(), homes=homes().look()), TERMS)
    assert (reading.value, [doubt.grade for doubt in reading.doubts]) == (None, [Grade.NO_DATA])


def test_a_count_that_runs_out_of_time_is_an_estimate_and_no_value(
    db: psycopg.Connection,
) -> None:
    db.execute("ANALYZE migrator_identity")
    with db.transaction():
        db.execute("LOCK TABLE migrator_identity IN ACCESS EXCLUSIVE MODE")
        found = homes(timeout_s=0.2).look()
    (doubt,) = found.doubts
    assert doubt.grade is Grade.UNPROVEN
    assert doubt.reason == "migrator_identity was not counted in 0s, about 6 users: an estimate"
    look = Look(SystemClock().now(), homes=found)
    reading = MEASURES["legacy_homes"].read(look, TERMS)
    assert (reading.value, reading.doubts) == (None, found.doubts)
    assert homes().look().doubts == ()


@pytest.mark.usefixtures("db")
def test_a_missing_table_is_unproven_and_a_dead_server_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (missing,) = homes(schema="elsewhere").look().doubts
    assert missing.grade is Grade.UNPROVEN
    monkeypatch.setenv("APP_DSN", "postgresql://nobody@127.0.0.1:9/none")
    (dead,) = homes().look().doubts
    assert dead.grade is Grade.ERROR


def test_it_only_reads_under_a_name_of_its_own(db: psycopg.Connection) -> None:
    db.execute(
        "CREATE FUNCTION seen() RETURNS text LANGUAGE sql AS 'SELECT current_setting(''application_name'')'"
    )
    db.execute("ALTER TABLE migrator_identity RENAME TO kept")
    db.execute(
        "CREATE VIEW migrator_identity AS SELECT source, user_pk, pinned_reason, last_legacy_at,"
        " last_auther_at, seen() || current_setting('transaction_read_only') AS home FROM kept"
    )
    assert dict(homes().look().homes) == {"legacy": 0, "auther": 0, f"{APPLICATION_NAME}on": 5}
