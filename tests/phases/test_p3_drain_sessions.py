"""The gate about sessions: what holds it, and who may say that a store is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import HeldError, RefusedError
from migrator.core.stage import Stage
from migrator.gates.verdict import GateState
from phases import p3_drain
from tests.parts.drain import NO_SESSIONS, Drain
from tests.phases.gate_looks import look, prepared
from tests.runner.approvals import Team, approvers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def drain(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Drain:
    parts = prepared(Drain(tmp_path, fresh_db, ()), monkeypatch)
    parts.configure(NO_SESSIONS)
    return parts


def test_sessions_that_hold_a_user_fail_until_they_are_gone_or_the_deadline_passed(
    drain: Drain,
) -> None:
    drain.sign_in("visitor", rows=20)
    unproven = look(drain)
    assert unproven.state is GateState.HELD
    assert "no session with a user was ever found in public.sessions" in unproven.reason
    drain.sign_in("user", rows=2)
    assert (look(drain).state, look(drain).value) == (GateState.FAILED, 2)
    drain.begin(Stage.DRAIN, legacy_accept_until="2020-01-01T00:00:00Z")
    assert look(drain).state is GateState.PASSED
    drain.begin(Stage.DRAIN)
    drain.end_sessions()
    assert look(drain).state is GateState.HELD
    drain.sign_in("visitor")
    assert look(drain).state is GateState.PASSED


def test_a_store_that_the_application_writes_to_no_more_is_acknowledged_by_a_person(
    drain: Drain,
) -> None:
    ctx = drain.context()
    with pytest.raises(HeldError, match="no session with a user was ever found"):
        p3_drain.silent_sessions(ctx, acknowledging=None)
    drain.prove_the_store()
    assert p3_drain.silent_sessions(ctx, acknowledging=None).known
    drain.end_sessions()
    held = look(drain)
    assert held.state is GateState.HELD
    assert held.reason.endswith("migrator gate acknowledge --sessions")
    found = p3_drain.silent_sessions(ctx, acknowledging=None)
    assert (found.known, found.written_at, found.holding) == (False, None, 0)
    with pytest.raises(RefusedError, match="made anew"):
        p3_drain.silent_sessions(ctx, acknowledging="0" * 64)
    assert p3_drain.silent_sessions(ctx, acknowledging=found.silence_hash).known
    assert look(drain).state is GateState.PASSED
    drain.sign_in("user")
    assert look(drain).state is GateState.FAILED


def test_two_approvers_sign_that_a_store_is_silent(drain: Drain) -> None:
    team = Team(drain.root)
    drain.configure(NO_SESSIONS + approvers(team.keys))
    drain.prove_the_store()
    assert look(drain).state is GateState.PASSED
    drain.end_sessions()
    silence_hash = p3_drain.silent_sessions(drain.context(), acknowledging=None).silence_hash
    for signer in ("alice", "bob"):
        with pytest.raises(HeldError, match="gate acknowledge --sessions is not approved"):
            p3_drain.silent_sessions(drain.context(), acknowledging=silence_hash)
        assert look(drain).state is GateState.HELD
        team.sign(signer)
    assert p3_drain.silent_sessions(drain.context(), acknowledging=silence_hash).known
    assert look(drain).state is GateState.PASSED


def test_a_session_that_cannot_be_decoded_is_never_a_zero(drain: Drain) -> None:
    drain.sign_in("cut_off")
    verdict = look(drain)
    assert verdict.state is GateState.HELD
    assert verdict.reason.startswith("AMBIGUOUS: 1 rows cannot be decoded")
