from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from migrator.core.clock import ManualClock, SystemClock
from migrator.core.errors import DependencyError, RefusedError, UsageError
from migrator.gates.verdict import GateState
from migrator.legacy.session_census import APPLICATION_NAME, CensusTable
from migrator.metrics.interface import Grade, SessionsLook
from migrator.runner.gating import census as taking
from migrator.runner.gating.stores import session_store
from migrator.sessions import census as walking
from migrator.sessions import census_store
from phases import p3_drain
from tests.parts.drain import NO_SESSIONS, Drain

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.context import Context

KINDS = ("user", "user_in_json", "admin", "visitor", "cut_off")


@pytest.fixture
def drain(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Drain:
    parts = Drain(tmp_path, fresh_db, ())
    for name, value in parts.env.items():
        monkeypatch.setenv(name, value)
    parts.prepare()
    monkeypatch.setattr(walking, "PAGE_ROWS", 3)
    return parts


def run(drain: Drain, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(drain.dsn, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def age(drain: Drain) -> None:
    """Let all that was written so far be older than the clocks' margin."""
    run(drain, "UPDATE sessions SET updated_at = updated_at - interval '30 minutes'")


def looked(ctx: Context) -> SessionsLook:
    return session_store(ctx).look()


def counts(look: SessionsLook) -> tuple[int, int, int, int]:
    return look.holding, look.others, look.anonymous, look.undecodable


def test_a_look_by_the_census_counts_what_a_look_at_every_row_counts(drain: Drain) -> None:
    for kind in KINDS:
        drain.sign_in(kind, rows=5)
    age(drain)
    ctx = drain.context()
    direct = looked(ctx)
    report = taking.take_census(ctx)
    assert (report.read, report.whole) == (25, True)
    by_census = looked(ctx)
    assert counts(by_census) == counts(direct) == (10, 5, 5, 5)
    assert (by_census.used, by_census.doubts) == (direct.used, direct.doubts)


def test_a_census_of_another_models_sessions_is_none(drain: Drain) -> None:
    drain.sign_in("user", rows=1)
    drain.sign_in("admin", rows=2)
    age(drain)
    ctx = drain.context()
    taking.take_census(ctx)
    admins = ctx.config.legacy.model_copy(update={"model": "AdminUser"})
    other = replace(ctx, config=ctx.config.model_copy(update={"legacy": admins}))
    assert counts(looked(other)) == (2, 1, 0, 0)
    assert taking.take_census(other).read == 3
    assert counts(looked(other)) == (2, 1, 0, 0)


def test_what_changed_since_is_in_the_next_look_before_the_census_knows_it(drain: Drain) -> None:
    drain.sign_in("visitor", rows=7)
    age(drain)
    ctx = drain.context()
    taking.take_census(ctx)
    drain.sign_in("user", rows=2)
    signed_in = "SELECT data FROM sessions WHERE session_id LIKE '2::user%' LIMIT 1"
    run(drain, f"UPDATE sessions SET data = ({signed_in}), updated_at = now() WHERE id = 1")
    run(drain, "DELETE FROM sessions WHERE id = 2")
    look = looked(ctx)
    assert (look.holding, look.doubts) == (3, ())
    run(drain, "DELETE FROM sessions WHERE id = 1")
    assert looked(ctx).holding == 2
    assert taking.take_census(ctx).read == 2
    assert counts(looked(ctx)) == (2, 0, 7, 0)


def test_a_sign_out_counts_at_once(drain: Drain) -> None:
    drain.sign_in("user", rows=4)
    age(drain)
    ctx = drain.context()
    taking.take_census(ctx)
    assert looked(ctx).holding == 4
    run(drain, "DELETE FROM sessions WHERE id <= 3")
    assert looked(ctx).holding == 1
    run(drain, "DELETE FROM sessions")
    assert (looked(ctx).holding, looked(ctx).doubts) == (0, ())


def test_killed_after_any_page_the_same_command_goes_on(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in KINDS:
        drain.sign_in(kind, rows=4)
    age(drain)
    ctx, read = drain.context(), []
    write = CensusTable.write

    def dies_after_writing(table: CensusTable, counted: Any) -> None:
        write(table, counted)
        read.extend(counted)
        raise KeyboardInterrupt

    monkeypatch.setattr(CensusTable, "write", dies_after_writing)
    with pytest.raises(KeyboardInterrupt):
        taking.take_census(ctx)
    look = looked(ctx)
    assert (look.unseen, [doubt.grade for doubt in look.doubts]) == (20, [Grade.AMBIGUOUS])
    assert "20 rows are not in the census yet" in look.doubts[0].reason
    monkeypatch.setattr(CensusTable, "write", write)
    assert taking.take_census(ctx).read == 20
    assert counts(looked(ctx)) == (8, 4, 4, 4)
    ((rows,),) = run(drain, "SELECT count(*) FROM migrator_session")
    assert rows == 20


def test_a_census_that_was_left_alone_is_ambiguous_by_number(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(census_store, "LOOK_ROWS", 4)
    monkeypatch.setattr(census_store, "PAGE_ROWS", 2)
    ctx = drain.context()
    taking.take_census(ctx)
    drain.sign_in("user", rows=10)
    look = looked(ctx)
    assert (look.holding, look.unseen) == (4, 6)
    assert "6 rows changed since the census of" in look.doubts[0].reason


def test_rows_that_came_late_or_are_gone_are_found_by_the_sweep(drain: Drain) -> None:
    drain.sign_in("visitor", rows=9)
    age(drain)
    ctx = drain.context()
    taking.take_census(ctx)
    run(drain, "DELETE FROM sessions WHERE id IN (1, 5, 9)")
    drain.sign_in("user", rows=4)
    age(drain)
    assert looked(ctx).anonymous == 9
    later = drain.context(clock=ManualClock(SystemClock().now() + timedelta(hours=1)))
    taking.take_census(later)
    assert counts(looked(later)) == (4, 0, 6, 0)


def test_the_session_table_is_not_written_and_the_census_holds_no_key(drain: Drain) -> None:
    drain.sign_in("user", rows=4)
    before = run(drain, "SELECT xmin::text, md5(s::text) FROM sessions AS s ORDER BY id")
    taking.take_census(drain.context())
    assert run(drain, "SELECT xmin::text, md5(s::text) FROM sessions AS s ORDER BY id") == before
    (kept,) = run(drain, "SELECT string_agg(s::text, ' ') FROM migrator_session AS s")
    assert "2::" not in kept[0]
    assert [user for (user,) in run(drain, "SELECT DISTINCT user_pk FROM migrator_session")] == [
        "42"
    ]


def test_who_holds_sessions_comes_page_by_page_from_the_census(drain: Drain) -> None:
    for kind in ("user", "user_with_a_uuid", "user_without_a_password", "visitor"):
        drain.sign_in(kind, rows=2)
    ctx = drain.context()
    taking.take_census(ctx)
    held = session_store(ctx)
    first = held.holders(after="", rows=2)
    rest = held.holders(after=first.after or "", rows=2)
    assert [(holder.user, holder.sessions) for holder in first.holders + rest.holders] == [
        ("42", 2),
        ("6f9619ff-8b86-d011-b42d-00c04fc964ff", 2),
        ("7", 2),
    ]


def test_a_gate_holds_until_the_census_is_whole_and_while_a_count_runs_out_of_time(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain.configure(NO_SESSIONS)
    drain.prove_the_store()
    drain.sign_in("visitor", rows=7)
    age(drain)
    ctx = drain.context()
    planned = p3_drain.plan(ctx, step="auther")

    def verdict() -> tuple[GateState, str]:
        (found,) = p3_drain.run(ctx, planned)
        return found.state, found.reason

    write = CensusTable.write
    monkeypatch.setattr(CensusTable, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        taking.take_census(ctx)
    state, reason = verdict()
    assert (state, "8 rows are not in the census yet" in reason) == (GateState.HELD, True)
    monkeypatch.setattr(CensusTable, "write", write)
    taking.take_census(ctx)
    assert verdict()[0] is GateState.PASSED
    with psycopg.connect(drain.dsn) as other:
        other.execute("LOCK TABLE migrator_session")
        file = drain.root / "migrator.toml"
        file.write_text(file.read_text().replace('timeout = "5s"', 'timeout = "0.2s"'))
        ctx = drain.context()
        state, reason = verdict()
    assert (state, "UNPROVEN" in reason) == (GateState.HELD, True)
    assert verdict()[0] is GateState.PASSED


def interrupted(_table: CensusTable, _counted: Any) -> None:
    raise KeyboardInterrupt


def test_a_database_that_goes_away_in_mid_census_is_reported_and_the_next_run_goes_on(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain.sign_in("user", rows=20)
    age(drain)
    ctx = drain.context()
    write = CensusTable.write

    def failing_over(table: CensusTable, counted: Any) -> None:
        if counted[0].session_id > 9:
            run(
                drain,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                APPLICATION_NAME,
            )
        write(table, counted)

    monkeypatch.setattr(CensusTable, "write", failing_over)
    report = taking.take_census(ctx, keep_on=True)
    assert "terminating connection" in report.fault
    assert (report.whole, report.read) == (False, 9)
    assert looked(ctx).unseen == 11
    with pytest.raises(DependencyError):
        taking.take_census(ctx)
    monkeypatch.setattr(CensusTable, "write", write)
    assert taking.take_census(ctx, keep_on=True).read == 11
    assert (looked(ctx).holding, looked(ctx).doubts) == (20, ())


def test_a_table_that_lost_a_column_is_named(drain: Drain) -> None:
    ctx = drain.context()
    taking.take_census(ctx)
    run(drain, "ALTER TABLE sessions DROP COLUMN data")
    with pytest.raises(UsageError, match=r"public\.sessions has no column data"):
        taking.take_census(ctx)
    assert taking.take_census(ctx, keep_on=True).fault == "public.sessions has no column data"
    (doubt,) = looked(ctx).doubts
    assert (doubt.grade, doubt.reason) == (Grade.ERROR, "public.sessions has no column data")
    run(drain, "ALTER TABLE sessions ADD COLUMN data text")
    assert taking.take_census(ctx, keep_on=True).fault == ""
    assert looked(ctx).doubts == ()


def test_a_census_table_that_was_dropped_is_an_error_until_the_census_begins_anew(
    drain: Drain,
) -> None:
    drain.sign_in("user", rows=4)
    ctx = drain.context()
    taking.take_census(ctx)
    run(drain, "DROP TABLE migrator_session")
    (doubt,) = looked(ctx).doubts
    assert (doubt.grade, "migrator_session" in doubt.reason) == (Grade.ERROR, True)
    taking.take_census(ctx)
    assert (looked(ctx).holding, looked(ctx).doubts) == (4, ())


def test_the_census_of_another_table_begins_without_the_rows_of_the_one_before(
    drain: Drain,
) -> None:
    drain.sign_in("user", rows=4)
    taking.take_census(drain.context())
    run(drain, "CREATE TABLE visits (LIKE sessions)")
    ctx = configured(drain, 'sessions_table = "public.visits"')
    taking.take_census(ctx)
    assert (looked(ctx).seen, looked(ctx).doubts) == (0, ())


def test_no_more_rows_are_read_in_a_second_than_allowed(drain: Drain) -> None:
    drain.sign_in("visitor", rows=9)
    age(drain)
    text = (drain.root / "migrator.toml").read_text()
    (drain.root / "migrator.toml").write_text(
        text.replace("[drain]\n", "[drain]\ncensus_rows_per_s = 3\n")
    )
    clock = ManualClock(SystemClock().now())
    began = clock.now()
    taking.take_census(drain.context(clock=clock))
    assert timedelta(seconds=2.9) < clock.now() - began < timedelta(seconds=3.1)


def configured(drain: Drain, settings: str) -> Context:
    file = drain.root / "migrator.toml"
    file.write_text(file.read_text().replace("[legacy]\n", f"[legacy]\n{settings}\n"))
    return drain.context()


def test_another_store_is_counted_as_a_whole_and_looks_rely_on_it_for_a_while(
    drain: Drain,
) -> None:
    run(drain, "CREATE TABLE logins AS SELECT 1 AS user_id, now() AS used_at")
    query = 'sessions.query = "SELECT * FROM logins"\nsession_store = "sql"'
    ctx = configured(drain, query)
    assert looked(ctx).counted_at is None
    report = taking.take_census(ctx)
    assert (report.read, report.whole) == (1, True)
    run(drain, "INSERT INTO logins VALUES (2, now()), (NULL, NULL)")
    kept = looked(ctx)
    assert (kept.holding, kept.doubts, len(kept.used)) == (1, (), 1)
    assert kept.counted_at == report.since
    later = drain.context(clock=ManualClock(SystemClock().now() + timedelta(minutes=3)))
    assert [doubt.grade for doubt in looked(later).doubts] == [Grade.STALE]
    set_back = drain.context(clock=ManualClock(SystemClock().now() - timedelta(hours=1)))
    assert [doubt.grade for doubt in looked(set_back).doubts] == [Grade.STALE]
    taking.take_census(ctx)
    assert (looked(ctx).holding, looked(ctx).anonymous) == (2, 1)
    run(drain, "DROP TABLE logins")
    with pytest.raises(DependencyError):
        taking.take_census(ctx)
    assert "does not exist" in taking.take_census(ctx, keep_on=True).fault
    assert looked(ctx).holding == 2


def test_a_count_of_another_store_is_not_relied_on(drain: Drain) -> None:
    ctx = configured(drain, 'sessions.query = "SELECT 3 AS holding"\nsession_store = "sql"')
    taking.take_census(ctx)
    changed = drain.root / "migrator.toml"
    changed.write_text(changed.read_text().replace("SELECT 3", "SELECT 4"))
    assert looked(drain.context()).holding == 4


def test_sessions_in_cookies_have_no_census(drain: Drain) -> None:
    with pytest.raises(RefusedError, match='sessions of the store "cookie" cannot be counted'):
        taking.take_census(configured(drain, 'session_store = "cookie"'))
