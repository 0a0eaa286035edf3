from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from migrator.core.clock import ManualClock
from migrator.core.errors import HeldError, RefusedError
from migrator.core.stage import Stage, StageDocument
from migrator.gates.spec import specs_before
from migrator.gates.verdict import GateState, Verdict
from migrator.metrics.interface import Grade
from migrator.runner.gating.guard import let_through, require_gates, standings
from migrator.runner.gating.overriding import DOUBTS
from migrator.runner.gating.sampling import SPEC, record, record_change
from migrator.runner.stages import remember
from migrator.state.ledger import GENESIS
from migrator.state.samples import StoredSample
from phases import p3_drain
from tests.runner.approvals import Team

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.gates.spec import GateSpec
    from migrator.runner.context import Context

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
GATES = """
[[gates]]
name = "quiet"
before = "{step}"
measure = "legacy_requests"
at_most = {at_most}
consecutive = 3
span = "1h"
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(AT)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    made = Team(tmp_path)
    made.configure("alice", "bob", more=GATES.format(step="auther", at_most=0))
    return made


@pytest.fixture
def ctx(team: Team, clock: ManualClock) -> Context:
    return breached(team.context(clock))


def gate(ctx: Context, step: str = "auther") -> GateSpec:
    (spec,) = specs_before(ctx.config, step)
    return spec


def breached(
    ctx: Context,
    *,
    state: GateState = GateState.FAILED,
    step: str = "auther",
    evidence: dict[str, Any] | None = None,
) -> Context:
    """Write a sample, and the verdict that it gave."""
    spec, now = gate(ctx, step), ctx.clock.now()
    facts = {SPEC: spec.hash, **(evidence or {})}
    ctx.state.samples.add(StoredSample("quiet", now, str(Grade.BREACH), 4, "4 is above 0", facts))
    record(ctx, Verdict(spec, state, "4 is above 0", measured_at=now))
    return ctx


def override(ctx: Context, team: Team) -> None:
    with pytest.raises(HeldError, match="two approvers"):
        p3_drain.override(ctx, "quiet", reason="a known crawler")
    team.sign("alice", "bob")
    p3_drain.override(ctx, "quiet", reason="a known crawler")


def held(ctx: Context, step: str = "auther") -> bool:
    try:
        require_gates(ctx, step)
    except (HeldError, RefusedError):
        return True
    return False


def test_two_approvers_let_one_step_begin_once(ctx: Context, team: Team) -> None:
    override(ctx, team)
    (standing,) = standings(ctx, "auther")
    assert standing.state is GateState.OVERRIDDEN
    assert standing.reason == (
        "overridden by alice and bob (a known crawler); without that FAILED, 4 is above 0"
    )
    assert p3_drain.verify(ctx, step="auther").exit_code == 0
    assert not held(ctx)
    (used,) = let_through(ctx, "auther")
    assert used.override
    assert held(ctx)
    (given, spent) = ctx.state.ledger.entries(subject="override")
    assert (given.body["event"], spent.body["event"]) == ("given", "spent")
    assert (used.override, spent.body["given"], spent.body["step"]) == (
        given.seq,
        given.seq,
        "auther",
    )
    assert ctx.state.ledger.verify() == []


def test_it_ends_after_an_hour_and_a_clock_set_back_does_not_help(
    ctx: Context, team: Team, clock: ManualClock
) -> None:
    override(ctx, team)
    clock.at += timedelta(minutes=61)
    assert held(ctx)
    clock.at -= timedelta(minutes=70)
    assert held(ctx)


def test_another_verdict_is_other_evidence(ctx: Context, team: Team, clock: ManualClock) -> None:
    override(ctx, team)
    clock.at += timedelta(minutes=1)
    record_change(ctx, Verdict(gate(ctx), GateState.FAILED, "4 is above 0"))
    assert not held(ctx), "a watch that sees the same leaves it"
    breached(ctx)
    assert held(ctx)


def test_another_stage_is_another_target(ctx: Context, team: Team) -> None:
    override(ctx, team)
    document = StageDocument(
        namespace="shop",
        epoch=9,
        stage=Stage.DRAIN,
        percent=100,
        salt="00",
        issued_at="2026-11-23T03:00:00.000000Z",
        ledger_head=GENESIS,
        ledger_length=0,
    )
    remember(ctx, document)
    assert held(ctx)


def test_an_edited_gate_is_another_gate(ctx: Context, team: Team, clock: ManualClock) -> None:
    override(ctx, team)
    team.configure("alice", "bob", more=GATES.format(step="auther", at_most=1))
    edited = team.context(clock)
    assert held(edited)
    with pytest.raises(RefusedError, match="INVALIDATED"):
        p3_drain.override(edited, "quiet", reason="again")


def test_before_the_removal_another_plan_is_something_else(team: Team, clock: ManualClock) -> None:
    team.configure("alice", "bob", more=GATES.format(step="remove", at_most=0))
    ctx = team.context(clock)
    ctx.state.checkpoints.put("remove", "plan", {"plan_hash": "a" * 64, "folder": "x"})
    breached(ctx, step="remove")
    override(ctx, team)
    assert not held(ctx, "remove")
    ctx.state.checkpoints.put("remove", "plan", {"plan_hash": "b" * 64, "folder": "x"})
    assert held(ctx, "remove")


@pytest.mark.parametrize("state", [GateState.HELD, GateState.PENDING, GateState.EXPIRED])
def test_what_was_not_measured_cannot_be_overridden(ctx: Context, state: GateState) -> None:
    breached(ctx, state=state)
    with pytest.raises(RefusedError, match="what was not measured"):
        p3_drain.override(ctx, "quiet", reason="please")


def test_neither_can_a_doubted_measurement_nor_an_old_one(
    ctx: Context, team: Team, clock: ManualClock
) -> None:
    breached(ctx, evidence={DOUBTS: ["web-2 is missing"]})
    with pytest.raises(RefusedError, match="coverage and control are invariants"):
        p3_drain.override(ctx, "quiet", reason="please")
    breached(ctx)
    clock.at += timedelta(hours=25)
    with pytest.raises(RefusedError, match="EXPIRED"):
        p3_drain.override(ctx, "quiet", reason="please")


def test_a_gate_that_was_never_checked_cannot_be_overridden(
    team: Team, clock: ManualClock
) -> None:
    with pytest.raises(RefusedError, match="PENDING") as refused:
        p3_drain.override(team.context(clock), "quiet", reason="please")
    assert refused.value.hint == "migrator gate explain quiet"


def test_without_approvers_it_is_a_second_confirmation_and_says_so(
    team: Team, clock: ManualClock
) -> None:
    team.configure(more=GATES.format(step="auther", at_most=0))
    ctx = breached(team.context(clock))
    with pytest.raises(HeldError, match="second confirmation"):
        p3_drain.override(ctx, "quiet", reason="a known crawler")
    given = p3_drain.override(ctx, "quiet", reason="a known crawler", confirmation="quiet")
    assert given.words == "overridden by second confirmation (a known crawler)"
    assert not held(ctx)


def test_explain_names_the_override_while_it_counts(ctx: Context, team: Team) -> None:
    assert dict(p3_drain.explained(ctx, "quiet"))["override"].startswith("migrator gate override")
    override(ctx, team)
    found = dict(p3_drain.explained(ctx, "quiet"))
    assert found["gate"] == "quiet, before auther: OVERRIDDEN"
    assert "override" not in found
