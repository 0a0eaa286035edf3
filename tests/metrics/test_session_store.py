from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.config.secrets import SecretRef
from migrator.core.clock import SystemClock
from migrator.metrics.interface import Grade
from migrator.metrics.session_store import (
    APPLICATION_NAME,
    ActiveRecordSessions,
    UncountedSessions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS = {
    row["name"]: row for row in json.loads((Path(__file__).parent / "sessions.json").read_text())
}
TABLE = """
CREATE TABLE sessions (
  id bigserial PRIMARY KEY, session_id character varying NOT NULL UNIQUE, data text,
  created_at timestamp NOT NULL DEFAULT now(), updated_at timestamp NOT NULL DEFAULT now())
"""


@pytest.fixture
def sessions_db(fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> str:
    with psycopg.connect(fresh_db) as connection:
        connection.execute(TABLE)
    monkeypatch.setenv("SESSIONS_DSN", fresh_db)
    return fresh_db


def fill(dsn: str, names: Sequence[str], *, times: int = 1) -> None:
    with psycopg.connect(dsn) as connection:
        for name in names:
            connection.execute(
                "INSERT INTO sessions (session_id, data)"
                " SELECT '2::' || %s || i, %s FROM generate_series(1, %s) AS i",
                (name, ROWS[name]["data"] if name in ROWS else None, times),
            )


def source(*, timeout_s: float = 10, table: str = "public.sessions") -> ActiveRecordSessions:
    return ActiveRecordSessions(
        dsn=SecretRef("env", "SESSIONS_DSN"),
        root=Path(),
        table=table,
        scope=b"user",
        timeout=timedelta(seconds=timeout_s),
        clock=SystemClock(),
    )


def test_rows_are_counted_by_what_they_hold(sessions_db: str) -> None:
    fill(sessions_db, ["user", "user_in_json", "admin", "visitor", "null"], times=3)
    look = source().look()
    assert (look.holding, look.others, look.anonymous, look.undecodable) == (6, 3, 6, 0)
    assert look.doubts == ()


def test_the_last_use_of_those_that_hold_a_user_is_counted_by_the_hour(sessions_db: str) -> None:
    fill(sessions_db, ["user", "visitor"], times=3)
    with psycopg.connect(sessions_db) as connection:
        connection.execute("UPDATE sessions SET updated_at = '2026-11-23 03:59:59' WHERE id <= 4")
        connection.execute("UPDATE sessions SET updated_at = '2026-11-23 05:00:00' WHERE id > 4")
    found = source().look()
    assert {at.isoformat() for at, _ in found.used} <= {
        "2026-11-23T03:00:00+00:00",
        "2026-11-23T05:00:00+00:00",
    }
    assert sum(count for _, count in found.used) == found.holding == 3


def test_no_row_is_a_zero_without_doubt(sessions_db: str) -> None:
    look = source().look()
    assert (look.seen, look.doubts) == (0, ())


def test_a_row_that_cannot_be_decoded_is_counted_and_makes_the_count_ambiguous(
    sessions_db: str,
) -> None:
    fill(sessions_db, ["visitor", "cut_off"], times=2)
    look = source().look()
    assert (look.holding, look.undecodable) == (0, 2)
    assert [doubt.grade for doubt in look.doubts] == [Grade.AMBIGUOUS]


def test_a_count_that_runs_out_of_time_is_at_least_what_it_says(sessions_db: str) -> None:
    fill(sessions_db, ["user"], times=5000)
    look = source(timeout_s=0.02).look()
    assert 0 < look.holding < 5000
    assert [doubt.grade for doubt in look.doubts] == [Grade.UNPROVEN]
    assert "an estimate" in look.doubts[0].reason


def test_a_locked_table_ends_with_the_statement_timeout(sessions_db: str) -> None:
    with psycopg.connect(sessions_db) as other:
        other.execute("LOCK TABLE sessions")
        look = source(timeout_s=0.3).look()
    assert (look.seen, [doubt.grade for doubt in look.doubts]) == (0, [Grade.UNPROVEN])


def test_a_missing_table_and_a_dead_server_are_errors(
    sessions_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (doubt,) = source(table="public.no_such").look().doubts
    assert (doubt.grade, 'relation "public.no_such" does not exist' in doubt.reason) == (
        Grade.ERROR,
        True,
    )
    monkeypatch.setenv("SESSIONS_DSN", "postgresql://app:hunter2@127.0.0.1:9/none")
    (doubt,) = source().look().doubts
    assert doubt.grade is Grade.ERROR
    assert "hunter2" not in doubt.reason
    monkeypatch.delenv("SESSIONS_DSN")
    assert source().look().doubts[0].grade is Grade.ERROR


def test_the_connection_is_named(sessions_db: str) -> None:
    fill(sessions_db, ["user"])
    seen: list[tuple[str, str]] = []
    with psycopg.connect(sessions_db, autocommit=True) as watcher:
        watcher.execute("BEGIN; LOCK TABLE sessions")
        worker = threading.Thread(target=source(timeout_s=2).look)
        worker.start()
        with psycopg.connect(sessions_db, autocommit=True) as other:
            while not seen:
                seen = other.execute(
                    "SELECT application_name, query FROM pg_stat_activity WHERE query LIKE '%DECLARE%'"
                    " AND pid <> pg_backend_pid()"
                ).fetchall()
        watcher.execute("ROLLBACK")
        worker.join()
    assert seen[0][0] == APPLICATION_NAME


def test_sessions_in_cookies_cannot_be_counted() -> None:
    look = UncountedSessions("cookie").look()
    assert [doubt.grade for doubt in look.doubts] == [Grade.NO_DATA]


def test_the_dump_of_a_devise_application_is_counted(
    devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSIONS_DSN", devise_db)
    with psycopg.connect(devise_db) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM sessions").fetchone() or (0,)
    look = source().look()
    assert (look.seen, look.undecodable) == (rows, 0)
