from __future__ import annotations

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
    assert entry.body == {"list_hash": found.pinned.list_hash, "users": 1}
