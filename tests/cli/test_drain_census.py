from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import Ran, migrator
from tests.parts.any_database import run_sql
from tests.parts.drain import Drain

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def drain(tmp_path: Path, fresh_db: str) -> Drain:
    parts = Drain(tmp_path, fresh_db, ())
    parts.prepare()
    return parts


def run(drain: Drain, *arguments: str) -> Ran:
    ran = migrator(drain.root, "drain", *arguments, env=drain.env | {"MIGRATION_KEY": "k" * 40})
    assert drain.dsn not in ran.out + ran.err
    return ran


def slowly(drain: Drain, rows_per_s: int) -> None:
    file = drain.root / "migrator.toml"
    text = file.read_text()
    file.write_text(text.replace("[drain]\n", f"[drain]\ncensus_rows_per_s = {rows_per_s}\n"))


def test_a_census_killed_half_way_goes_on_where_it_was(drain: Drain) -> None:
    drain.sign_in("user", rows=3000)
    drain.sign_in("visitor", rows=3000)
    run_sql(drain.dsn, "UPDATE sessions SET updated_at = now() - interval '1 hour'")
    planned = run(drain, "census", "--dry-run")
    assert "0 of about" in planned.out or "0 rows were read" in planned.out
    assert "6,000 would be read now" in planned.out
    slowly(drain, 100)
    killed = subprocess.Popen(
        [sys.executable, "-m", "migrator", "drain", "census"], cwd=drain.root, env=drain.env
    )
    ends = time.monotonic() + 60
    while not _rows(drain):
        assert time.monotonic() < ends
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    assert _rows(drain) == 2000
    # The dead one's lease would run out after a minute.
    with drain.context().state.locks.held("census", break_it=True):
        pass
    status = run(drain, "status")
    assert "rows are not in the census yet" in status.out
    drain.configure("")
    done = run(drain, "census", "--json")
    assert (done.code, done.json["read"] in {4000, 6000}, done.json["whole"]) == (0, True, True)
    assert (
        "sessions  3,000 hold a user, 0 another model's, 3,000 nobody" in run(drain, "status").out
    )


def test_a_watch_reports_what_fails_and_goes_on(drain: Drain) -> None:
    drain.sign_in("user", rows=2)
    run_sql(drain.dsn, "CREATE VIEW migrator_session AS SELECT 1 AS session_id")
    ran = run(drain, "census", "--watch", "--count", "2", "--interval", "0.1s")
    assert (ran.code, ran.out.count("HELD: ")) == (3, 2)
    run_sql(drain.dsn, "DROP VIEW migrator_session")
    ran = run(drain, "census", "--watch", "--count", "1")
    assert (ran.code, "every row is known" in ran.out) == (0, True)


def test_who_is_left_needs_one_kind_to_go_on_with(drain: Drain) -> None:
    ran = run(drain, "who", "--after", "3")
    assert (ran.code, "--after goes on with one KIND" in ran.err) == (2, True)


def test_who_is_left_is_masked_unless_asked_for(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sql(devise_db, "DROP TABLE sessions")
    run_sql(devise_db, "UPDATE users SET remember_created_at = CASE WHEN id = 3 THEN now() END")
    drain = Drain(tmp_path, devise_db, ())
    drain.prepare()
    drain.sign_in("user")
    ((email,),), _ = run_sql(devise_db, "SELECT email FROM users WHERE id = 3")
    ran = run(drain, "who", "remembered", "sessions")
    assert ran.code == 0, ran.err
    assert email not in ran.out
    assert "remember-me tokens    of at most 1 users" in ran.out
    assert "legacy requests by    unknown: no shim was read" in ran.out
    assert email in run(drain, "who", "remembered", "--unmask").out
    shown = run(drain, "who", "sessions", "--json").json
    assert shown["populations"]["sessions"]["holding"] == 1
    assert shown["pages"][0]["left"][0]["user"] != "42"


def _rows(drain: Drain) -> int:
    ((there,),), _ = run_sql(drain.dsn, "SELECT to_regclass('migrator_session') IS NOT NULL")
    if not there:
        return 0
    ((count,),), _ = run_sql(drain.dsn, "SELECT count(*) FROM migrator_session")
    return int(count)
