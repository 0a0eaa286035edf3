from __future__ import annotations

import threading
from datetime import UTC, datetime

import psycopg
import pytest

from migrator.legacy.session_rows import APPLICATION_NAME
from migrator.metrics.interface import Grade
from tests.parts.any_database import run_sql
from tests.sessions.stores import fill, make_table, store

pytestmark = pytest.mark.xdist_group("sessions")


@pytest.fixture
def sessions_db(fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> str:
    make_table(fresh_db)
    monkeypatch.setenv("SESSIONS_DSN", fresh_db)
    return fresh_db


def test_rows_are_counted_by_what_they_hold_and_used_by_the_hour(anywhere: str) -> None:
    fill(anywhere, ["user", "user_in_json", "admin", "visitor", "null"], times=3)
    run_sql(anywhere, "UPDATE sessions SET updated_at = '2026-11-23 05:00:00.25' WHERE id = 1")
    look = store().look()
    assert (look.holding, look.others, look.anonymous, look.undecodable) == (6, 3, 6, 0)
    assert look.doubts == ()
    assert look.used == (
        (datetime(2026, 11, 23, 3, tzinfo=UTC), 5),
        (datetime(2026, 11, 23, 5, tzinfo=UTC), 1),
    )


def test_no_row_is_a_zero_without_doubt(anywhere: str) -> None:
    look = store().look()
    assert (look.seen, look.doubts) == (0, ())


def test_those_who_hold_a_session_come_page_by_page_without_its_id(anywhere: str) -> None:
    fill(anywhere, ["user", "visitor", "user_in_json", "user_with_a_uuid"], times=2)
    held = store()
    first = held.holders(after="", rows=4)
    rest = held.holders(after=first.after or "", rows=4)
    assert [holder.user for holder in first.holders] == ["42", "42", "42", "42"]
    assert {holder.user for holder in rest.holders} == {"6f9619ff-8b86-d011-b42d-00c04fc964ff"}
    assert (len(rest.holders), rest.after) == (2, None)
    assert "2::" not in repr(first)


def test_a_row_that_cannot_be_decoded_is_counted_and_makes_the_count_ambiguous(
    sessions_db: str,
) -> None:
    fill(sessions_db, ["visitor", "cut_off"], times=2)
    look = store().look()
    assert (look.holding, look.undecodable) == (0, 2)
    assert [doubt.grade for doubt in look.doubts] == [Grade.AMBIGUOUS]


def test_a_count_that_runs_out_of_time_is_at_least_what_it_says(sessions_db: str) -> None:
    fill(sessions_db, ["user"])
    run_sql(
        sessions_db,
        "INSERT INTO sessions (session_id, data)"
        " SELECT i::text, data FROM sessions, generate_series(1, 20000) AS i",
    )
    look = store(timeout_s=0.1).look()
    assert 0 < look.holding < 20_000
    assert [doubt.grade for doubt in look.doubts] == [Grade.UNPROVEN]
    assert "an estimate" in look.doubts[0].reason


def test_a_locked_table_ends_with_the_statement_timeout(sessions_db: str) -> None:
    with psycopg.connect(sessions_db) as other:
        other.execute("LOCK TABLE sessions")
        look = store(timeout_s=0.3).look()
    assert (look.seen, [doubt.grade for doubt in look.doubts]) == (0, [Grade.UNPROVEN])


def test_a_statement_that_takes_too_long_ends_on_every_database(anywhere: str) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
    if anywhere.startswith("postgresql"):
        run_sql(anywhere, "DROP TABLE sessions")
        run_sql(
            anywhere,
            "CREATE VIEW sessions AS SELECT 1::bigint AS id, NULL AS data, now() AS updated_at"
            " FROM pg_sleep(5)",
        )
    else:
        run_sql(anywhere, "ALTER TABLE sessions RENAME TO old")
        run_sql(
            anywhere,
            f"CREATE VIEW sessions AS {many} SELECT max(a.i * b.i - c.i * d.i) AS id, NULL AS data,"
            " '2026-01-01' AS updated_at FROM n AS a, n AS b, n AS c, n AS d",
        )
    look = store(timeout_s=0.3).look()
    assert [doubt.grade for doubt in look.doubts] == [Grade.UNPROVEN], look.doubts


def test_a_missing_table_a_missing_column_and_a_dead_server_are_errors(
    sessions_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(**settings: str) -> str:
        (doubt,) = store(**settings).look().doubts
        assert doubt.grade is Grade.ERROR
        return doubt.reason

    assert "there is no table public.no_such" in fault(sessions_table="public.no_such")
    run_sql(sessions_db, "ALTER TABLE sessions DROP COLUMN updated_at")
    assert fault() == "public.sessions has no column updated_at"
    monkeypatch.setenv("SESSIONS_DSN", "postgresql://app:hunter2@127.0.0.1:9/none")
    assert "hunter2" not in fault()
    monkeypatch.delenv("SESSIONS_DSN")
    assert "SESSIONS_DSN is empty or not set" in fault()


def test_the_connection_is_named_and_may_not_write(sessions_db: str) -> None:
    fill(sessions_db, ["user"])
    seen: list[tuple[str]] = []
    with psycopg.connect(sessions_db, autocommit=True) as watcher:
        watcher.execute("BEGIN; LOCK TABLE sessions")
        worker = threading.Thread(target=store(timeout_s=2).look)
        worker.start()
        with psycopg.connect(sessions_db, autocommit=True) as other:
            while not seen:
                seen = other.execute(
                    "SELECT application_name FROM pg_stat_activity"
                    " WHERE wait_event_type = 'Lock' AND query LIKE '%updated_at FROM%'"
                ).fetchall()
        watcher.execute("ROLLBACK")
        worker.join()
    assert seen == [(APPLICATION_NAME,)]


def test_sessions_in_cookies_cannot_be_counted() -> None:
    look = store(session_store="cookie").look()
    assert [doubt.grade for doubt in look.doubts] == [Grade.NO_DATA]


def test_the_dump_of_a_devise_application_is_counted(
    devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSIONS_DSN", devise_db)
    ((rows,),), _ = run_sql(devise_db, "SELECT count(*) FROM sessions")
    look = store().look()
    assert (look.seen, look.undecodable) == (rows, 0)
