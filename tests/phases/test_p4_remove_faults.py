"""Phase 4 when something goes wrong half-way: nothing is lost, and the same command goes on."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import ConflictError, DependencyError, HeldError, RefusedError
from migrator.core.units import units_of
from migrator.legacy import execute
from migrator.runner.removing.plans import kept_plan
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import STEPS, Site, flip_a_bit, make_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch)


def states(site: Site) -> list[str]:
    return list(p4_remove.status(site.ctx).steps.values())


def test_a_write_after_the_archive_is_refused_and_holds_the_drop(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="takes no more writes"):
        site.sql("UPDATE migrator_quarantine.identities SET uid = 'x'")
    with pytest.raises(RefusedError, match="something still writes") as caught:
        p4_remove.run(site.ctx)
    back = f"migrator remove revert --to {steps.QUARANTINE_TABLES}, then apply again"
    assert caught.value.hint.endswith(back)
    assert site.sql("SELECT count(*) FROM migrator_quarantine.identities") == 48


def test_a_row_smuggled_past_the_write_block_is_found_by_its_checksum(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    site.sql("ALTER TABLE migrator_quarantine.identities DISABLE TRIGGER migrator_guard_block")
    site.sql("UPDATE migrator_quarantine.identities SET uid = uid || '!' WHERE id = 1")
    site.sql(
        "ALTER TABLE migrator_quarantine.identities ENABLE ALWAYS TRIGGER migrator_guard_block"
    )
    with pytest.raises(RefusedError, match=r"public\.identities differs from the archive"):
        p4_remove.run(site.ctx)


def test_a_disabled_write_block_holds_the_drop(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    site.sql("ALTER TABLE migrator_quarantine.identities DISABLE TRIGGER migrator_guard_block")
    with pytest.raises(RefusedError, match=r"write-block on .* is gone or disabled"):
        p4_remove.run(site.ctx)
    with pytest.raises(RefusedError, match=r"writes to public.identities are blocked"):
        p4_remove.verify(site.ctx)


def test_a_flipped_bit_in_the_archive_is_found_by_verify_and_by_the_revert(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.PURGE_COLUMNS)
    chunk = site.archive(steps.ARCHIVE_TABLES) / "t001-c00001.copy.gz.age"
    flip_a_bit(chunk)
    with pytest.raises(RefusedError, match=r"t001-c00001\.copy\.gz\.age was changed"):
        p4_remove.verify(site.ctx)
    with pytest.raises(RefusedError, match=r"t001-c00001\.copy\.gz\.age was changed"):
        p4_remove.rollback(site.ctx)
    assert site.sql("SELECT to_regclass('public.identities')") is None
    assert site.sql("SELECT to_regclass('migrator_archive.identities')") is None
    flip_a_bit(chunk)
    assert p4_remove.rollback(site.ctx).differences == ()


def test_a_reader_that_stays_holds_the_step_and_is_named(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.SCREAM_WINDOW)
    with (
        psycopg.connect(site.dsn, application_name="night report") as reader,
        psycopg.connect(site.dsn) as other,
    ):
        reader.execute("SELECT count(*) FROM identities")
        with pytest.raises(HeldError, match="night report, idle in transaction") as caught:
            p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
        other.execute("LOCK TABLE users")
        waiting = threading.Thread(target=reader.execute, args=("SELECT FROM users",))
        waiting.start()
        _wait_until_blocked(site, reader.info.backend_pid)
        with pytest.raises(HeldError, match=f"waits itself for pid {other.info.backend_pid}"):
            p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
        other.rollback()
        waiting.join()
        assert "SELECT count" not in caught.value.message
        assert "the same command" in caught.value.hint
    assert states(site)[3:5] == ["applied", "pending"]
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    assert states(site)[3:5] == ["applied", "applied"]


def _wait_until_blocked(site: Site, pid: int) -> None:
    while not site.sql("SELECT cardinality(pg_blocking_pids(%s))", pid):
        time.sleep(0.01)


def test_a_lock_that_frees_itself_is_had_at_a_later_try(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.SCREAM_WINDOW)
    reader = psycopg.connect(site.dsn)
    reader.execute("SELECT count(*) FROM identities")
    threading.Timer(0.15, reader.close).start()
    assert p4_remove.run(site.ctx, steps.QUARANTINE_TABLES).steps == (steps.QUARANTINE_TABLES,)


def test_a_second_operator_is_refused_while_the_first_holds_the_lease(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
    site.sql(
        "INSERT INTO migrator_guard.lease (holder, fence, expires_at) "
        "VALUES ('other-host:12345678', 7, now() + interval '1 minute')"
    )
    with pytest.raises(ConflictError, match="other-host:12345678 holds the lease"):
        p4_remove.run(site.ctx, steps.TRIPWIRES)
    other = make_site(tmp_path / "other", site.dsn, monkeypatch)
    with pytest.raises(ConflictError, match="is under way in this database"):
        p4_remove.plan(other.ctx)
    site.sql("UPDATE migrator_guard.lease SET expires_at = now() - interval '1 second'")
    p4_remove.run(site.ctx, steps.TRIPWIRES)
    assert site.sql("SELECT fence FROM migrator_guard.lease") == 8


def test_a_holder_that_lost_its_lease_cannot_commit(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
    made = kept_plan(site.ctx)
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute("SELECT set_config('migrator.fence', '1', false)")
        with pytest.raises(psycopg.Error, match="another operator took the lease"):
            connection.execute(made.files[f"deploy/{steps.QUARANTINE_TABLES}.sql"].encode())


@pytest.mark.parametrize("last", [steps.PURGE_TABLES, steps.PURGE_COLUMNS, steps.FINALIZE])
def test_cut_off_after_any_transaction_the_same_command_goes_on(
    site: Site, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, last)
    here = STEPS.index(last)
    before = STEPS[here - 1] if here else None
    reverted = kept_plan(site.ctx).files[f"revert/{last}.sql"]
    for unit in units_of(reverted)[1:]:
        _cut_off_before(site, unit.name, monkeypatch)
        with pytest.raises(DependencyError, match="broke") as caught:
            p4_remove.rollback(site.ctx, before)
        assert "goes on where it stopped" in caught.value.hint
        monkeypatch.undo()
        monkeypatch.setenv("LEGACY_" + site.root.name.upper().replace("-", "_"), site.dsn)
    moved = p4_remove.rollback(site.ctx, before)
    assert moved.steps == (last,)
    assert states(site)[here:] == ["pending"] * (16 - here)


@pytest.mark.parametrize(
    "step",
    [
        steps.ARCHIVE_TABLES,
        steps.WRITE_BLOCK_TABLES,
        steps.WRITE_BLOCK_COLUMNS,
        steps.PURGE_TABLES,
    ],
)
@pytest.mark.parametrize("then", ["apply", "revert"])
def test_a_half_applied_step_goes_on_or_is_taken_back(
    site: Site, step: str, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, STEPS[STEPS.index(step) - 1])
    deploy = kept_plan(site.ctx).files[f"deploy/{step}.sql"]
    _cut_off_before(site, units_of(deploy)[-1].name, monkeypatch)
    with pytest.raises(DependencyError, match="broke"):
        p4_remove.run(site.ctx, step)
    monkeypatch.undo()
    monkeypatch.setenv("LEGACY_" + site.root.name.upper().replace("-", "_"), site.dsn)
    assert "applying" in states(site)
    if then == "apply":
        p4_remove.run(site.ctx, step)
        assert p4_remove.verify(site.ctx)[-1] == step
    p4_remove.rollback(site.ctx)
    assert site.dump() == dump


def test_the_application_never_sees_a_column_that_is_back_but_not_yet_filled(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = "SELECT to_jsonb(u) ? 'confirmed_at', to_jsonb(u) ->> 'confirmed_at' FROM users u WHERE id = 1"
    confirmed_at = site.sql("SELECT confirmed_at::text FROM users WHERE id = 1").replace(" ", "T")
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    send, looks = execute._send, []

    def look_first(connection: psycopg.Connection, unit: execute.Unit) -> None:
        with psycopg.connect(site.dsn) as application:
            looks.append(application.execute(seen).fetchone())
        send(connection, unit)

    monkeypatch.setattr(execute, "_send", look_first)
    p4_remove.rollback(site.ctx)
    assert set(looks) == {(False, None), (True, confirmed_at)}


def _cut_off_before(site: Site, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the session, from the server's side, as it is about to send a unit."""
    send = execute._send

    def cut(connection: psycopg.Connection, this: execute.Unit) -> None:
        if this.name == unit:
            site.sql("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
        send(connection, this)

    monkeypatch.setattr(execute, "_send", cut)


def test_a_table_made_anew_under_the_same_name_is_not_touched(site: Site) -> None:
    p4_remove.plan(site.ctx)
    site.sql("ALTER TABLE push_tokens RENAME TO kept")
    site.sql("CREATE TABLE push_tokens (id bigint)")
    with pytest.raises(ConflictError, match="not the one that was planned for"):
        p4_remove.run(site.ctx)
    assert site.sql("SELECT to_regclass('push_tokens')") == "push_tokens"


CHANGES = {
    "CREATE VIEW late AS SELECT * FROM migrator_quarantine.identities": "late depends on public.identities",
    "CREATE TABLE later (i bigint REFERENCES migrator_quarantine.identities)": "foreign key later_i_fkey of later points",
    "ALTER TABLE migrator_quarantine.push_tokens ADD late int": "public.push_tokens has another column",
    "CREATE INDEX late ON migrator_quarantine.push_tokens (user_id)": "public.push_tokens has another",
    "CREATE VIEW late AS SELECT encrypted_password FROM users": "late depends on public.users",
}


def test_what_came_after_the_plan_stops_every_step_and_is_named(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    for statement, reason in CHANGES.items():
        with psycopg.connect(site.dsn, autocommit=True) as connection:
            connection.execute(statement.encode())
        with pytest.raises(ConflictError, match=f"changed since the plan: {reason}"):
            p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
        site.sql("DROP VIEW IF EXISTS late")
        site.sql("DROP TABLE IF EXISTS later")
        site.sql("DROP INDEX IF EXISTS migrator_quarantine.late")
        site.sql("ALTER TABLE migrator_quarantine.push_tokens DROP COLUMN IF EXISTS late")
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)


def test_a_half_reverted_step_is_not_applied_before_it_is_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.PURGE_TABLES)
    _cut_off_before(site, "move", monkeypatch)
    with pytest.raises(DependencyError, match="broke"):
        p4_remove.rollback(site.ctx, steps.WRITE_BLOCK_TABLES)
    with pytest.raises(ConflictError, match="09_purge_tables is half reverted"):
        p4_remove.run(site.ctx)


def test_between_archive_and_drop_only_users_with_archived_rows_cannot_be_deleted(
    site: Site,
) -> None:
    site.sql(
        "INSERT INTO users (id, email, created_at, updated_at) VALUES (9001, 'n@e.org', now(), now())"
    )
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    site.sql("DELETE FROM users WHERE id = 9001")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="takes no more writes"):
        site.sql(
            "DELETE FROM users WHERE id = (SELECT min(user_id) FROM migrator_quarantine.identities)"
        )


def test_a_stray_drop_or_truncate_fails_and_a_tripwire_that_is_not_ours_stops_the_purge(
    site: Site,
) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.TRIPWIRES)
    with pytest.raises(
        psycopg.errors.DependentObjectsStillExist, match="cannot drop table identities"
    ):
        site.sql("DROP TABLE identities")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="it is not truncated"):
        site.sql("TRUNCATE identities")
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    site.sql("DROP VIEW migrator_guard.tripwire_identities")
    site.sql("CREATE VIEW migrator_guard.tripwire_identities AS SELECT 1 AS held")
    with pytest.raises(ConflictError, match=r"tripwires of public\.identities are not the ones"):
        p4_remove.run(site.ctx)


def test_values_that_changed_behind_the_write_block_are_not_erased(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, tables=(), rules='erase = "null"')
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_COLUMNS)
    site.sql("ALTER TABLE users DISABLE TRIGGER USER")
    site.sql("UPDATE users SET migrator_q_encrypted_password = 'newer' WHERE id = 1")
    site.sql("ALTER TABLE users ENABLE ALWAYS TRIGGER migrator_guard_block")
    with pytest.raises(RefusedError, match="differs from the archive in 1 rows") as caught:
        p4_remove.run(site.ctx, steps.ERASE_COLUMNS)
    back = f"migrator remove revert --to {steps.QUARANTINE_COLUMNS}, then apply again"
    assert caught.value.hint == back
    assert site.sql("SELECT migrator_q_encrypted_password FROM users WHERE id = 1") == "newer"


def test_an_erasure_that_was_cut_off_is_taken_back_from_the_archive(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, tables=(), rules='erase = "rewrite"')
    dump = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_COLUMNS)
    _cut_off_before(site, "rewrite", monkeypatch)
    with pytest.raises(DependencyError, match="broke"):
        p4_remove.run(site.ctx, steps.ERASE_COLUMNS)
    monkeypatch.undo()
    monkeypatch.setenv("LEGACY_" + site.root.name.upper().replace("-", "_"), site.dsn)
    assert site.sql("SELECT count(migrator_q_encrypted_password) FROM users") == 0
    p4_remove.rollback(site.ctx)
    # The rows lie in another order now.
    assert sorted(site.dump().splitlines()) == sorted(dump.splitlines())


def test_a_removal_that_came_to_its_end_keeps_its_files_for_the_way_back(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    site.sql("CREATE TABLE identities (id int)")
    site.sql("CREATE TABLE push_tokens (id int)")
    other = site.ctx.config.remove.model_copy(update={"columns": ("name",)})
    ctx = replace(site.ctx, config=site.ctx.config.model_copy(update={"remove": other}))
    with pytest.raises(ConflictError, match="came to its end, and its files are the way back"):
        p4_remove.plan(ctx)
    assert p4_remove.plan(ctx, site.root / "next").columns == ("name",)
