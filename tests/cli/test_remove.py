"""`migrator remove` as an operator types it: exit codes, what is said, a killed process, psql by hand."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.stage import Stage
from migrator.runner.removing.archives import ARCHIVES, DRILLS
from migrator.sqlgen import steps
from phases import p4_remove
from tests.cli.command import migrator, migrator_process
from tests.parts.postgres import embedded_binaries
from tests.phases.removal import STEPS, Site, make_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch)


def test_plan_apply_verify_and_revert_say_what_they_did(site: Site) -> None:
    planned = migrator(site.root, "remove", "plan")
    assert planned.code == 0, planned.err
    assert "tables to drop: public.identities, public.push_tokens" in planned.out
    assert "the columns come back at the end of the column order" in planned.out
    assert re.search(
        r"public\.identities: OID \d+; 48 rows; owner postgres; foreign keys: ", planned.out
    )
    assert "the scream window is UNPROVEN (acknowledged): public.identities: " in planned.out
    dry = migrator(site.root, "remove", "apply", "--to", "02", "--dry-run")
    assert dry.out == "would apply:\n  01_guard\n  02_tripwires\n"
    applied = migrator(site.root, "remove", "apply", "--json")
    assert (applied.code, applied.json["steps"]) == (0, list(STEPS))
    again = migrator(site.root, "remove", "apply")
    assert again.out == "applied:\n  nothing: every step is there already\n"
    verified = migrator(site.root, "remove", "verify", "--json")
    assert verified.json["steps"] == [steps.FINALIZE]
    found = migrator(site.root, "remove", "status")
    assert "09_purge_tables: applied" in found.out
    assert "identities: 48 rows, sha256 " in found.out
    reverted = migrator(site.root, "remove", "revert")
    assert reverted.code == 0, reverted.err
    assert reverted.out.startswith("reverted:\n  17_finalize\n  16_purge_columns\n")
    assert "not as it was:\n  tables: the physical order of rows" in reverted.out


def test_out_names_the_folder_and_apply_finds_it(site: Site) -> None:
    assert migrator(site.root, "remove", "plan", "--out", "reviewed").code == 0
    assert (site.root / "reviewed/revert/09_purge_tables.sql").is_file()
    assert migrator(site.root, "remove", "apply", "--to", "01").code == 0
    (site.root / "notes").mkdir()
    (site.root / "notes/mine.txt").write_text("keep")
    refused = migrator(site.root, "remove", "plan", "--out", "notes")
    assert refused.code == 5
    assert "is under way" in refused.err
    p4_remove.rollback(site.ctx)
    refused = migrator(site.root, "remove", "plan", "--out", "notes")
    assert (refused.code, (site.root / "notes/mine.txt").read_text()) == (2, "keep")


def test_each_way_of_being_stopped_has_its_exit_code_and_the_next_command(site: Site) -> None:
    held = migrator(site.root, "remove", "apply")
    assert (held.code, held.err) == (3, "there is no plan yet\nnext: migrator remove plan\n")
    migrator(site.root, "remove", "plan")
    assert migrator(site.root, "remove", "apply", "--to", "99").code == 2
    site.set_stage(Stage.DRAIN)
    wrong_stage = migrator(site.root, "remove", "apply", "--json")
    assert (wrong_stage.code, wrong_stage.json["exit_code"]) == (5, 5)
    site.set_stage(Stage.AUTHER)
    gates = (site.root / "migrator.toml").read_text()
    begin, end = gates.index("[[gates]]"), gates.index("[remove]")
    (site.root / "migrator.toml").write_text(gates[:begin] + gates[end:])
    no_gate = migrator(site.root, "remove", "apply")
    assert no_gate.code == 3
    assert "an empty list proves nothing" in no_gate.err


def test_an_unreachable_database_is_a_dependency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = "postgresql://me:s3cret@127.0.0.1:1/nothing"
    ran = migrator_process(make_site(tmp_path, dsn, monkeypatch).root, "remove", "plan")
    assert ran.code == 4
    assert "s3cret" not in ran.out + ran.err


def test_a_killed_apply_leaves_a_lease_that_its_own_operator_takes_up_again(site: Site) -> None:
    file = site.root / "migrator.toml"
    file.write_text(file.read_text().replace("lock_attempts = 3", "lock_attempts = 1000"))
    site.sql(
        "INSERT INTO users (id, email, created_at, updated_at) VALUES (9001, 'gone@example.org', now(), now())"
    )
    site.sql("UPDATE identities SET user_id = 9001 WHERE id = 7")
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    with psycopg.connect(site.dsn) as writer:
        writer.execute("LOCK TABLE migrator_quarantine.push_tokens IN ROW EXCLUSIVE MODE")
        process = subprocess.Popen(
            [sys.executable, "-m", "migrator", "remove", "apply"], cwd=site.root
        )
        _wait_for(site, "SELECT count(*) FROM migrator_guard.unit WHERE unit = 'block_1'", 1)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    found = migrator(site.root, "remove", "status").out
    assert f"{steps.WRITE_BLOCK_TABLES}: applying" in found
    assert "next: migrator remove apply goes on, migrator remove revert takes back" in found
    assert [e.action for e in site.ctx.state.ledger.pending()] == ["apply 08_write_block_tables"]
    ran = migrator(site.root, "remove", "apply", "--to", "09")
    assert ran.code == 0, ran.err
    site.sql("DELETE FROM users WHERE id = 9001")
    reverted = migrator(site.root, "remove", "revert")
    assert reverted.code == 1
    assert "1 rows point to what is not there: 9001" in reverted.out
    assert "next: mend or delete those rows; then, on PostgreSQL: ALTER TABLE" in reverted.out


def test_a_lease_of_another_operator_is_a_state_conflict(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
    site.sql(
        "INSERT INTO migrator_guard.lease (holder, fence, expires_at) "
        "VALUES ('laptop:0badcafe', 1, now() + interval '1 minute')"
    )
    ran = migrator(site.root, "remove", "apply")
    assert ran.code == 5
    assert "laptop:0badcafe holds the lease" in ran.err


def test_every_file_runs_in_psql_with_a_lease_and_evidence(site: Site) -> None:
    before = site.dump()
    p4_remove.plan(site.ctx)
    folder = site.root / ".migrator/remove"
    _psql(site, folder / "deploy/01_guard.sql")
    site.sql(
        "INSERT INTO migrator_guard.lease (holder, fence, expires_at) VALUES ('by hand', 5, now())"
    )
    refused = _psql(site, folder / "deploy/05_quarantine_tables.sql", fence=5, may_fail=True)
    assert "HINT:  migrator remove permit 02_tripwires and deploy/02_tripwires.sql" in refused
    refused = _psql(site, folder / "deploy/02_tripwires.sql", fence=5, may_fail=True)
    assert "no gate evidence that is still good" in refused
    assert "migrator gate check --before remove" in refused
    site.sql(
        "INSERT INTO migrator_guard.evidence SELECT step, plan_id, 'h', 'e', oids, now() + interval '1 hour' "
        "FROM migrator_guard.step, migrator_guard.plan, "
        "(SELECT array_agg(oid ORDER BY oid) AS oids FROM migrator_guard.target) AS t"
    )
    for name in STEPS[1:-1]:
        if name in {*ARCHIVES, *DRILLS}:
            refused = _psql(site, folder / f"deploy/{name}.sql", fence=_fence(site), may_fail=True)
            assert "HINT:  migrator remove" in refused
            _let_go(site)
            p4_remove.run(site.ctx, name)
        else:
            _psql(site, folder / f"deploy/{name}.sql", fence=_fence(site))
        _psql(site, folder / f"verify/{name}.sql", fence=_fence(site))
    for name in reversed(STEPS[:-1]):
        if name in steps.PURGES:
            refused = _psql(site, folder / f"revert/{name}.sql", fence=_fence(site), may_fail=True)
            assert "migrator remove revert --identity file:KEY loads it first" in refused
            _let_go(site)
            p4_remove.rollback(site.ctx, STEPS[STEPS.index(name) - 1])
        else:
            _psql(site, folder / f"revert/{name}.sql", fence=_fence(site))
    assert sorted(_words(site.dump())) == sorted(_words(before))


def _fence(site: Site) -> int:
    return int(site.sql("SELECT fence FROM migrator_guard.lease"))


def _let_go(site: Site) -> None:
    site.sql("UPDATE migrator_guard.lease SET expires_at = now()")


def _psql(site: Site, file: Path, *, fence: int = 0, may_fail: bool = False) -> str:
    ran = subprocess.run(
        [embedded_binaries() / "psql", "-X", "-v", "ON_ERROR_STOP=1", "-f", file, site.dsn],
        env=os.environ | {"PGOPTIONS": f"-c migrator.fence={fence}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert may_fail or ran.returncode == 0, ran.stderr
    return ran.stderr


def _words(dump: str) -> list[str]:
    # Columns come back in another order: rows of users are compared as sets of fields.
    return re.split(r"[\s,()]+", dump)


def _wait_for(site: Site, query: str, value: object) -> None:
    deadline_s = time.monotonic() + 30
    while site.sql(query) != value:
        assert time.monotonic() < deadline_s, query
        time.sleep(0.02)
