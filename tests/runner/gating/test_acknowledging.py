from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import RefusedError
from migrator.gates.verdict import GateState
from migrator.runner.gating.acknowledging import acknowledge, pinned_list
from phases import p3_drain
from tests.parts.stage_file import SIDE_TABLES
from tests.runner.approvals import Team

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.context import Context

GATE = """
[[gates]]
name = "pinned"
before = "auther"
measure = "unacknowledged_users"
at_most = 0
consecutive = 1
span = "0s"
"""


@pytest.fixture
def ctx(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("LEGACY_DATABASE_URL", fresh_db)
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute(SIDE_TABLES)
    pin(fresh_db, "7", "second_factor")
    team = Team(tmp_path)
    team.configure(more=GATE)
    return team.context()


def pin(dsn: str, pk: str, reason: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO migrator_identity (source, user_pk, auther_id, pinned_reason)"
            " VALUES ('User', %s, %s, %s)",
            (pk, pk, reason),
        )


def state(ctx: Context) -> GateState:
    (verdict,) = p3_drain.run(ctx, p3_drain.plan(ctx, step="auther"))
    return verdict.state


def test_the_gate_fails_until_exactly_this_list_is_acknowledged(
    ctx: Context, fresh_db: str
) -> None:
    assert state(ctx) is GateState.FAILED
    found = pinned_list(ctx, rows=20)
    assert (found.known, found.pinned.shown) == (False, (("7", "second_factor"),))
    with pytest.raises(RefusedError, match="the list is another one now: 1 users"):
        acknowledge(ctx, "0" * 64)
    assert acknowledge(ctx, found.pinned.list_hash).known
    assert state(ctx) is GateState.PASSED
    assert pinned_list(ctx, rows=0).known
    pin(fresh_db, "8", "email")
    assert state(ctx) is GateState.FAILED
    (entry,) = ctx.state.ledger.entries(subject="acknowledged")
    assert entry.body == {"model": "User", "list_hash": found.pinned.list_hash, "users": 1}


def test_what_was_acknowledged_of_one_model_says_nothing_of_another(
    ctx: Context, fresh_db: str
) -> None:
    acknowledge(ctx, pinned_list(ctx, rows=0).pinned.list_hash)
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute("UPDATE migrator_identity SET source = 'AdminUser'")
    admins = ctx.config.legacy.model_copy(update={"model": "AdminUser"})
    other = replace(ctx, config=ctx.config.model_copy(update={"legacy": admins}))
    assert not pinned_list(other, rows=0).known


def test_a_table_that_knows_nobody_proves_nothing(ctx: Context, fresh_db: str) -> None:
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute("UPDATE migrator_identity SET source = 'AdminUser'")
    assert state(ctx) is GateState.HELD
