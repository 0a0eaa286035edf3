"""Phase 4 on real databases: forward, back, interrupted, refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import (
    ConflictError,
    DependencyError,
    HeldError,
    RefusedError,
    UsageError,
)
from migrator.core.stage import Stage
from migrator.gates.verdict import GateState
from migrator.legacy.execute import units_of
from migrator.runner.plans import kept_plan
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import TABLES, Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

UP_TO_QUARANTINE = (steps.GUARD, steps.QUARANTINE_TABLES)
REVERSIBLE_BYTE_FOR_BYTE = steps.NAMES[:-1]


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch)


def states(site: Site) -> list[str]:
    return list(p4_remove.status(site.ctx).steps.values())


@pytest.mark.parametrize("last", REVERSIBLE_BYTE_FOR_BYTE)
def test_apply_and_revert_give_the_same_dump_byte_for_byte(site: Site, last: str) -> None:
    before = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, last)
    assert site.dump() != before
    moved = p4_remove.rollback(site.ctx)
    assert moved.steps == steps.NAMES[: steps.NAMES.index(last) + 1][::-1]
    assert site.dump() == before


def test_after_all_is_dropped_a_revert_brings_catalog_and_content_back(site: Site) -> None:
    rows = "SELECT md5(string_agg(u::text, '|' ORDER BY id)) FROM (SELECT {} FROM users) AS u"
    names = site.sql(
        "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY column_name) "
        "FROM information_schema.columns WHERE table_name = 'users'"
    )
    content = site.sql(rows.format(names))
    indexes = "SELECT array_agg(indexdef ORDER BY indexname) FROM pg_indexes WHERE tablename = 'users'"
    index_definitions = site.sql(indexes)
    p4_remove.plan(site.ctx)
    assert p4_remove.run(site.ctx).steps == steps.NAMES
    assert p4_remove.verify(site.ctx) == steps.NAMES
    assert site.sql("SELECT to_regclass('identities')") is None
    moved = p4_remove.rollback(site.ctx)
    assert (moved.differences, moved.orphans) == ((), ())
    assert any("end of the column order" in line for line in moved.exceptions)
    assert site.sql(rows.format(names)) == content
    assert site.sql(indexes) == index_definitions
    assert site.sql("SELECT nextval('identities_id_seq')") == 49


def test_forward_back_and_forward_again(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    p4_remove.rollback(site.ctx, steps.ARCHIVE_TABLES)
    assert states(site) == ["applied"] * 3 + ["pending"] * 4
    assert p4_remove.verify(site.ctx) == steps.NAMES[:3]
    p4_remove.run(site.ctx)
    assert states(site) == ["applied"] * 7
    assert p4_remove.run(site.ctx).steps == ()


def test_the_same_round_trip_on_postgresql_15(
    tmp_path: Path, pg15_devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, pg15_devise_db, monkeypatch)
    before = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.ARCHIVE_COLUMNS)
    p4_remove.rollback(site.ctx)
    assert site.dump() == before
    # Reverting the drop of tables made new ones: the plan is for objects that are gone.
    with pytest.raises(ConflictError, match="not the one that was planned for"):
        p4_remove.run(site.ctx)
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    assert p4_remove.rollback(site.ctx).differences == ()


def test_quarantine_keeps_foreign_keys_and_views_working(site: Site) -> None:
    site.sql("CREATE TABLE badge (id bigint PRIMARY KEY, identity_id bigint REFERENCES identities)")
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    key = site.sql("SELECT min(id) FROM migrator_quarantine.identities")
    site.sql("INSERT INTO badge VALUES (1, %s)", key)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        site.sql("INSERT INTO badge VALUES (2, -1)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        site.sql("SELECT FROM identities")


def test_rows_that_lost_their_target_are_listed_and_leave_the_key_unvalidated(site: Site) -> None:
    site.sql("CREATE TABLE badge (id bigint PRIMARY KEY, identity_id bigint REFERENCES identities)")
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.DROP_TABLES)
    site.sql("INSERT INTO badge VALUES (1, -1), (2, NULL)")
    moved = p4_remove.rollback(site.ctx)
    assert [(o.table_name, o.rows, o.some_keys) for o in moved.orphans] == [
        ("public.badge", 1, ["-1"])
    ]
    assert moved.differences == ("public.identities: inbound",)
    assert site.sql("SELECT convalidated FROM pg_constraint WHERE conname = 'badge_identity_id_fkey'") is False


def test_a_user_that_came_after_the_archive_gets_the_columns_defaults(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    site.sql("INSERT INTO users (id, email, created_at, updated_at) VALUES (9001, 'n@e.org', now(), now())")
    site.sql("DELETE FROM audit_logs WHERE user_id = 1")
    assert p4_remove.rollback(site.ctx).differences == ()
    row = "SELECT array[sign_in_count::text, encrypted_password] FROM users WHERE id = 9001"
    assert site.sql(row) == ["0", ""]


def test_a_write_after_the_archive_is_refused_and_holds_the_drop(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="takes no more writes"):
        site.sql("UPDATE migrator_quarantine.identities SET uid = 'x'")
    with pytest.raises(RefusedError, match="something still writes") as caught:
        p4_remove.run(site.ctx)
    assert "migrator remove revert" in caught.value.hint
    assert site.sql("SELECT count(*) FROM migrator_quarantine.identities") == 48


def test_a_row_smuggled_past_the_write_block_is_found_by_its_checksum(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    site.sql("ALTER TABLE migrator_quarantine.identities DISABLE TRIGGER migrator_guard_block")
    site.sql("UPDATE migrator_quarantine.identities SET uid = uid || '!' WHERE id = 1")
    site.sql("ALTER TABLE migrator_quarantine.identities ENABLE ALWAYS TRIGGER migrator_guard_block")
    with pytest.raises(RefusedError, match=r"public\.identities differs from the archive"):
        p4_remove.run(site.ctx)


def test_a_disabled_write_block_holds_the_drop(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    site.sql("ALTER TABLE migrator_quarantine.identities DISABLE TRIGGER migrator_guard_block")
    with pytest.raises(RefusedError, match="write-block on .* is gone or disabled"):
        p4_remove.run(site.ctx)
    with pytest.raises(RefusedError, match="writes to public.identities are blocked"):
        p4_remove.verify(site.ctx)


def test_a_flipped_bit_in_the_archive_is_found_by_verify_and_by_the_revert(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    site.sql("UPDATE migrator_archive.identities SET uid = uid || '!' WHERE id = 1")
    with pytest.raises(RefusedError, match="the copy of public.identities differs"):
        p4_remove.verify(site.ctx)
    with pytest.raises(RefusedError, match="restored table public.identities differs"):
        p4_remove.rollback(site.ctx)
    assert site.sql("SELECT to_regclass('public.identities')") is None


def test_quarantined_columns_take_no_more_writes_but_the_row_does(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.ARCHIVE_COLUMNS)
    site.sql("UPDATE users SET name = 'renamed', email = 'other@example.org' WHERE id = 1")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        site.sql("UPDATE users SET migrator_q_sign_in_count = 7 WHERE id = 1")


def test_a_reader_that_stays_holds_the_step_and_is_named(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
    with psycopg.connect(site.dsn, application_name="night report") as reader:
        reader.execute("SELECT count(*) FROM identities")
        with pytest.raises(HeldError, match="night report, idle in transaction") as caught:
            p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
        assert "SELECT count" not in caught.value.message
        assert "the same command" in caught.value.hint
    assert states(site)[:2] == ["applied", "pending"]
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    assert states(site)[:2] == ["applied", "applied"]


def test_a_lock_that_frees_itself_is_had_at_a_later_try(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
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
        p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    other = make_site(tmp_path / "other", site.dsn, monkeypatch)
    with pytest.raises(ConflictError, match="is under way in this database"):
        p4_remove.plan(other.ctx)
    site.sql("UPDATE migrator_guard.lease SET expires_at = now() - interval '1 second'")
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    assert site.sql("SELECT fence FROM migrator_guard.lease") == 8


def test_a_holder_that_lost_its_lease_cannot_commit(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
    made = kept_plan(site.ctx)
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute("SELECT set_config('migrator.fence', '1', false)")
        with pytest.raises(psycopg.Error, match="another operator took the lease"):
            connection.execute(made.files[f"deploy/{steps.QUARANTINE_TABLES}.sql"].encode())


@pytest.mark.parametrize("last", steps.NAMES)
def test_cut_off_after_any_transaction_the_same_command_goes_on(
    site: Site, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, last)
    here = steps.NAMES.index(last)
    before = steps.NAMES[here - 1] if here else None
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
    assert states(site)[here:] == ["pending"] * (7 - here)


@pytest.mark.parametrize("step", [steps.ARCHIVE_TABLES, steps.ARCHIVE_COLUMNS, steps.DROP_TABLES])
@pytest.mark.parametrize("then", ["apply", "revert"])
def test_a_half_applied_step_goes_on_or_is_taken_back(
    site: Site, step: str, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.NAMES[steps.NAMES.index(step) - 1])
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


def _cut_off_before(site: Site, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the session, from the server's side, as it is about to send a unit."""
    from migrator.legacy import execute

    send = execute._send

    def cut(connection: psycopg.Connection, this: execute.Unit) -> None:
        if this.name == unit:
            site.sql("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
        send(connection, this)

    monkeypatch.setattr(execute, "_send", cut)


def test_a_file_run_by_hand_refuses_without_lease_and_without_evidence(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
    file = kept_plan(site.ctx).files[f"deploy/{steps.QUARANTINE_TABLES}.sql"].encode()
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.Error, match="holds no lease") as caught:
            connection.execute(file)
        assert "migrator remove apply" in (caught.value.diag.message_hint or "")
        connection.execute("ROLLBACK")
        connection.execute(
            "INSERT INTO migrator_guard.lease (holder, fence, expires_at) VALUES ('me', 3, now())"
        )
        connection.execute("SELECT set_config('migrator.fence', '3', false)")
        with pytest.raises(psycopg.Error, match="no gate evidence that is still good") as caught:
            connection.execute(file)
        assert "migrator gate check --before remove" in (caught.value.diag.message_hint or "")


def test_expired_evidence_is_refused_by_the_sql_itself(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    site.sql("UPDATE migrator_guard.evidence SET expires_at = now() - interval '1 second'")
    p4_remove.rollback(site.ctx, steps.GUARD)
    site.sql("UPDATE migrator_guard.lease SET expires_at = now() + interval '1 minute'")
    file = kept_plan(site.ctx).files[f"deploy/{steps.QUARANTINE_TABLES}.sql"].encode()
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute("SELECT set_config('migrator.fence', fence::text, false) FROM migrator_guard.lease")
        with pytest.raises(psycopg.Error, match="no gate evidence that is still good"):
            connection.execute(file)


def test_without_gates_nothing_is_removed(site: Site) -> None:
    p4_remove.plan(site.ctx)
    with pytest.raises(HeldError, match="an empty list proves nothing"):
        p4_remove.run(site.with_gates(()).ctx)
    assert site.sql("SELECT to_regnamespace('migrator_guard')") is None


def test_a_failed_gate_refuses_and_an_unknown_one_holds(site: Site) -> None:
    p4_remove.plan(site.ctx)
    site.pass_gates(state=GateState.FAILED)
    with pytest.raises(RefusedError, match="quiet: FAILED"):
        p4_remove.run(site.ctx)
    site.pass_gates(state=GateState.ACCUMULATING)
    with pytest.raises(HeldError, match="quiet: ACCUMULATING"):
        p4_remove.run(site.ctx)


def test_a_revert_asks_no_gate(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    site.pass_gates(state=GateState.FAILED)
    assert p4_remove.rollback(site.ctx).steps == (steps.QUARANTINE_TABLES, steps.GUARD)


@pytest.mark.parametrize("stage", [Stage.LEGACY, Stage.DUAL, Stage.DRAIN])
def test_before_stage_auther_nothing_is_removed(site: Site, stage: Stage) -> None:
    p4_remove.plan(site.ctx)
    site.set_stage(stage)
    with pytest.raises(ConflictError, match=f"the stage is {stage}"):
        p4_remove.run(site.ctx)


def test_an_edited_file_is_refused_by_name(site: Site) -> None:
    p4_remove.plan(site.ctx)
    file = site.root / ".migrator/remove/deploy/04_drop_tables.sql"
    file.write_text(file.read_text().replace("RESTRICT", "CASCADE"))
    with pytest.raises(ConflictError, match="deploy/04_drop_tables.sql"):
        p4_remove.run(site.ctx)


def test_a_plan_replaced_as_a_whole_is_refused(site: Site) -> None:
    p4_remove.plan(site.ctx)
    plan = site.root / ".migrator/remove/plan.json"
    plan.write_text(plan.read_text() + "\n")
    with pytest.raises(ConflictError, match="not the one that `remove plan` made"):
        p4_remove.run(site.ctx)


def test_a_table_made_anew_under_the_same_name_is_not_touched(site: Site) -> None:
    p4_remove.plan(site.ctx)
    site.sql("ALTER TABLE push_tokens RENAME TO kept")
    site.sql("CREATE TABLE push_tokens (id bigint)")
    with pytest.raises(ConflictError, match="not the one that was planned for"):
        p4_remove.run(site.ctx)
    assert site.sql("SELECT to_regclass('push_tokens')") == "push_tokens"


def test_a_view_that_came_after_the_plan_stops_the_drop(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    site.sql("CREATE VIEW late AS SELECT * FROM migrator_quarantine.identities")
    with pytest.raises(DependencyError, match="2BP01"):
        p4_remove.run(site.ctx)
    assert site.sql("SELECT count(*) FROM late") == 48


@pytest.mark.parametrize(
    ("tables", "columns", "said"),
    [
        (("public.users",), "devise", "users table"),
        (("public.sessions",), "devise", "session table"),
        (("public.migrator_identity",), "devise", "belongs to the migration"),
        (("public.nowhere",), "devise", "there is no table public.nowhere; allowed: public.ar_int"),
        ((), ("email",), "cannot drop email; allowed"),
        ((), ("passwort",), "cannot drop passwort; allowed"),
        ((), (), "nothing is listed"),
    ],
)
def test_what_has_to_stay_or_is_unknown_is_refused(
    tmp_path: Path,
    devise_db: str,
    monkeypatch: pytest.MonkeyPatch,
    tables: tuple[str, ...],
    columns: str | tuple[str, ...],
    said: str,
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, tables=tables, columns=columns)
    with pytest.raises(UsageError, match=said):
        p4_remove.plan(site.ctx)


def test_an_unknown_step_names_those_there_are(site: Site) -> None:
    p4_remove.plan(site.ctx)
    with pytest.raises(UsageError, match="allowed: 01_guard, 02_quarantine_tables"):
        p4_remove.run(site.ctx, "09_purge")


def test_without_a_plan_the_next_command_is_named(site: Site) -> None:
    with pytest.raises(HeldError) as caught:
        p4_remove.run(site.ctx)
    assert caught.value.hint == "migrator remove plan"
    assert p4_remove.standing(site.ctx).next_command == "migrator remove plan"


def test_the_standing_follows_the_steps(site: Site) -> None:
    p4_remove.plan(site.ctx)
    assert p4_remove.standing(site.ctx).state == "0 of 7 steps applied"
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    assert p4_remove.standing(site.ctx).state == "3 of 7 steps applied"
    p4_remove.run(site.ctx)
    assert p4_remove.standing(site.ctx).done
    p4_remove.rollback(site.ctx)
    assert p4_remove.standing(site.ctx).state == "0 of 7 steps applied"


def test_each_step_is_in_the_ledger_before_and_after(site: Site) -> None:
    made = p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    told = [
        (entry.action, entry.kind)
        for entry in site.ctx.state.ledger.entries(subject="remove")
        if entry.body.get("plan") == made.plan_hash or entry.kind == "outcome"
    ]
    assert told == [
        ("plan", "note"),
        ("apply 01_guard", "intent"),
        ("apply 01_guard", "outcome"),
        ("apply 02_quarantine_tables", "intent"),
        ("apply 02_quarantine_tables", "outcome"),
    ]


def test_plan_of_tables_alone_leaves_the_columns(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, tables=TABLES, columns=())
    assert p4_remove.plan(site.ctx).steps == steps.NAMES[:4]
    p4_remove.run(site.ctx)
    assert site.sql("SELECT count(encrypted_password) FROM users") > 0
