"""Phase 4 when it must not begin: gates, stage, plan, input."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import ConflictError, HeldError, RefusedError, UsageError
from migrator.core.progress import Progress
from migrator.core.stage import Stage
from migrator.gates.verdict import GateState
from migrator.legacy.connect import describe_table, open_database
from migrator.legacy.identity import IdentityTable
from migrator.runner.context import make_context
from migrator.runner.removing.plans import kept_plan
from migrator.sqlgen import steps
from phases import p4_remove
from tests.parts.clocks import ShiftedClock
from tests.phases.removal import STEPS, Site, make_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch)


def test_a_file_run_by_hand_refuses_without_lease_and_without_evidence(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
    file = kept_plan(site.ctx).files[f"deploy/{steps.TRIPWIRES}.sql"].encode()
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
    p4_remove.rollback(site.ctx, steps.SCREAM_WINDOW)
    site.sql("UPDATE migrator_guard.lease SET expires_at = now() + interval '1 minute'")
    file = kept_plan(site.ctx).files[f"deploy/{steps.QUARANTINE_TABLES}.sql"].encode()
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT set_config('migrator.fence', fence::text, false) FROM migrator_guard.lease"
        )
        with pytest.raises(psycopg.Error, match="no gate evidence that is still good"):
            connection.execute(file)


def test_sql_out_of_its_order_says_what_to_run_first(site: Site) -> None:
    made = p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute("SELECT migrator_guard.lease_by_hand('psql')")

        def refused(step: str, direction: str) -> tuple[str | None, str | None]:
            with pytest.raises(psycopg.Error) as refusal:
                connection.execute(
                    "SELECT migrator_guard.enter(%s, 'x', %s, %s)", [step, direction, made.plan_id]
                )
            return refusal.value.diag.message_primary, refusal.value.diag.message_hint

        def is_now(step: str, state: str) -> None:
            connection.execute(
                "UPDATE migrator_guard.step SET state = %s WHERE step = %s", [state, step]
            )

        assert refused(steps.QUARANTINE_TABLES, "deploy") == (
            "step 02_tripwires comes before 05_quarantine_tables, and is pending",
            "migrator remove permit 02_tripwires and deploy/02_tripwires.sql, or migrator remove apply --to 02_tripwires",
        )
        is_now(steps.TRIPWIRES, "reverting")
        stopped = "revert/02_tripwires.sql, which stopped half-way"
        assert refused(steps.QUARANTINE_TABLES, "deploy")[1] == stopped
        assert refused(steps.TRIPWIRES, "deploy") == ("step 02_tripwires is reverting", stopped)
        is_now(steps.REVOKE, "applied")
        assert refused(steps.TRIPWIRES, "revert") == (
            "step 03_revoke comes before 02_tripwires, and is applied",
            "revert/03_revoke.sql, or migrator remove revert --to 02_tripwires",
        )
        is_now(steps.REVOKE, "pending")
        is_now(steps.TRIPWIRES, "pending")
        hint = "nothing is left to do here; migrator remove status tells what comes next"
        assert refused(steps.TRIPWIRES, "revert") == ("step 02_tripwires is pending", hint)


@pytest.mark.parametrize("subject", ["import", "write-back"])
def test_while_users_are_copied_between_both_sides_nothing_is_removed(
    site: Site, subject: str
) -> None:
    p4_remove.plan(site.ctx)
    with (
        site.ctx.state.locks.held(subject),
        pytest.raises(HeldError, match=f"is working on the {subject}"),
    ):
        p4_remove.run(site.ctx, steps.GUARD)


def test_a_clock_that_was_set_back_makes_no_old_verdict_good_again(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.GUARD)
    back = make_context(
        site.ctx.config,
        root=site.root,
        clock=ShiftedClock(-timedelta(hours=2)),
        progress=Progress(),
    )
    with pytest.raises(HeldError, match="still to come"):
        p4_remove.run(back, steps.TRIPWIRES)
    assert p4_remove.status(site.ctx).steps[steps.TRIPWIRES] == "pending"


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
    assert p4_remove.rollback(site.ctx).steps == STEPS[:5][::-1]


@pytest.mark.parametrize("stage", [Stage.LEGACY, Stage.DUAL, Stage.DRAIN])
def test_before_stage_auther_nothing_is_removed(site: Site, stage: Stage) -> None:
    p4_remove.plan(site.ctx)
    site.set_stage(stage)
    with pytest.raises(ConflictError, match=f"the stage is {stage}"):
        p4_remove.run(site.ctx)


def test_an_edited_file_is_refused_by_name(site: Site) -> None:
    p4_remove.plan(site.ctx)
    file = site.root / ".migrator/remove/deploy/09_purge_tables.sql"
    file.write_text(file.read_text().replace("RESTRICT", "CASCADE"))
    with pytest.raises(ConflictError, match=r"deploy/09_purge_tables.sql"):
        p4_remove.run(site.ctx)


def test_a_plan_replaced_as_a_whole_is_refused(site: Site) -> None:
    p4_remove.plan(site.ctx)
    plan = site.root / ".migrator/remove/plan.json"
    plan.write_text(plan.read_text() + "\n")
    with pytest.raises(ConflictError, match="not the one that `remove plan` made"):
        p4_remove.run(site.ctx)


@pytest.mark.parametrize(
    ("tables", "columns", "said"),
    [
        (("public.users",), "devise", "users table"),
        (("public.sessions",), "devise", "session table"),
        (("public.migrator_identity",), "devise", "belongs to the migration"),
        (
            ("public.nowhere",),
            "devise",
            "there is no table public.nowhere; allowed: public.ar_int",
        ),
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
    with pytest.raises(UsageError, match="allowed: 01_guard, 02_tripwires"):
        p4_remove.run(site.ctx, "99_purge")


def test_without_a_plan_the_next_command_is_named(site: Site) -> None:
    with pytest.raises(HeldError) as caught:
        p4_remove.run(site.ctx)
    assert caught.value.hint == "migrator remove plan"
    assert p4_remove.standing(site.ctx).next_command == "migrator remove plan"


MEASURED = {
    "UPDATE migrator_instance SET stage = 'drain'": "still accept legacy logins: web-1 .stage drain",
    "UPDATE migrator_identity SET last_legacy_at = now() - interval '6 days'": "a user was on the legacy side",
    "UPDATE migrator_guard.target SET oid = oid::bigint + 1": "no gate evidence that is still good",
}


def test_a_file_run_by_hand_measures_again_what_sql_can_measure(site: Site) -> None:
    with open_database(site.dsn, read_only=False) as connection:
        users = describe_table(connection, "public.users", key="legacy.users_table")
        IdentityTable(connection, users, source="User").create()
    site.sql(
        "INSERT INTO migrator_instance VALUES ('web-1', '3', 'auther', 'auther', 1, 'live', true, now()), "
        "('web-2', '4', 'drain', 'drain', 1, 'live', false, now()), "
        "('gone', '1', 'dual', 'dual', 1, 'live', true, now() - interval '1 hour')"
    )
    site.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id, last_legacy_at) "
        "VALUES ('User', '1', 'a', now() - interval '8 days')"
    )
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.TRIPWIRES)
    p4_remove.rollback(site.ctx, steps.GUARD)
    file = kept_plan(site.ctx).files[f"deploy/{steps.TRIPWIRES}.sql"].encode()
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT set_config('migrator.fence', fence::text, false) FROM migrator_guard.lease"
        )
        for statement, reason in MEASURED.items():
            begin, rest = file.split(b"BEGIN;", 1)
            with pytest.raises(psycopg.Error, match=reason):
                connection.execute(begin + b"BEGIN; " + statement.encode() + b";" + rest)
            connection.execute("ROLLBACK")
        connection.execute(file)
    assert p4_remove.status(site.ctx).steps[steps.TRIPWIRES] == "applied"
