from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.approval import Matter
from migrator.core.clock import ManualClock
from migrator.core.errors import HeldError, RefusedError
from migrator.runner.approving import approved, judged, open_requests
from tests.runner.approvals import Team

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.approving import Approval
    from migrator.runner.context import Context

MATTER = Matter(
    "remove apply 09_purge_tables", "09_purge_tables", ("drops 3 tables",), {"plan": "ab" * 32}
)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 23, 3, tzinfo=UTC))


@pytest.fixture
def team(tmp_path: Path) -> Team:
    made = Team(tmp_path)
    made.configure("alice", "bob", "carol")
    return made


@pytest.fixture
def ctx(team: Team, clock: ManualClock) -> Context:
    return team.context(clock)


def use(ctx: Context, matter: Matter = MATTER, **how: str) -> Approval:
    with approved(ctx, matter, **how) as approval:
        return approval


def ask(ctx: Context) -> str:
    with pytest.raises(HeldError, match="two approvers have to sign") as held:
        use(ctx, reason="retention is over")
    return held.value.hint


def test_the_first_call_asks_and_after_two_signatures_it_goes_through_once(
    team: Team, ctx: Context
) -> None:
    assert ask(ctx).startswith(f"migrator approve sign {team.request()}")
    team.sign("alice")
    with pytest.raises(HeldError, match=r"1 of 2 approvals \(alice\)"):
        use(ctx)
    team.sign("bob")
    assert use(ctx).approvers == ("alice", "bob")
    ask(ctx)


def test_the_ledger_has_the_request_before_its_file_and_the_use_before_the_effect(
    team: Team, ctx: Context
) -> None:
    ask(ctx)
    team.sign("alice", "bob")
    with approved(ctx, MATTER) as approval:
        last = ctx.state.ledger.entries(last=1)[0]
        assert (last.seq, last.kind, last.action) == (approval.entry, "intent", "used")
    entries = ctx.state.ledger.entries(subject="approval")
    assert [(e.action, e.kind) for e in entries] == [
        ("requested", "note"),
        ("used", "intent"),
        ("used", "outcome"),
    ]
    assert entries[0].body["reason"] == "retention is over"
    assert entries[1].body["approvers"] == ["alice", "bob"]
    assert entries[1].body["way"] == "approval"
    assert ctx.state.ledger.verify() == []


def test_a_use_that_failed_gives_it_back_and_one_of_unknown_end_spends_it(
    team: Team, ctx: Context
) -> None:
    ask(ctx)
    team.sign("alice", "bob")
    with pytest.raises(HeldError, match="a lock"), approved(ctx, MATTER):
        raise HeldError("a lock is in the way")
    with pytest.raises(KeyboardInterrupt), approved(ctx, MATTER):
        raise KeyboardInterrupt
    ask(ctx)


def test_another_plan_is_another_matter(team: Team, ctx: Context) -> None:
    ask(ctx)
    team.sign("alice", "bob")
    with pytest.raises(HeldError, match="two approvers"):
        use(ctx, replace(MATTER, bound_to={"plan": "cd" * 32}))
    with pytest.raises(HeldError, match="two approvers"):
        use(ctx, replace(MATTER, purpose="remove apply 16_purge_columns"))
    assert use(ctx).approvers == ("alice", "bob")


def test_what_was_edited_after_it_was_signed_is_refused(team: Team, ctx: Context) -> None:
    ask(ctx)
    team.sign("alice", "bob")
    path = team.request()
    path.write_text(path.read_text().replace("drops 3", "drops 4"))
    with pytest.raises(RefusedError, match="was changed after it was asked for"):
        use(ctx)
    team.sign("alice", "bob")
    with pytest.raises(RefusedError, match="was changed after it was asked for"):
        use(ctx)
    path.unlink()
    ask(ctx)


def test_a_signature_does_not_fit_another_request(team: Team, ctx: Context) -> None:
    ask(ctx)
    team.sign("alice", "bob")
    first = team.request()
    use(ctx)
    ask(ctx)
    second = next(one.path for one in open_requests(ctx))
    for name in ("alice", "bob"):
        old = first.with_name(f"{first.stem}.{name}.sig")
        second.with_name(f"{second.stem}.{name}.sig").write_text(old.read_text())
    with pytest.raises(HeldError, match="0 of 2 approvals"):
        use(ctx)


def test_an_expired_one_is_asked_for_anew(team: Team, ctx: Context, clock: ManualClock) -> None:
    ask(ctx)
    team.sign("alice", "bob")
    clock.at += 61 * MINUTE
    ask(ctx)


def test_a_clock_that_was_set_back_revives_nothing(
    team: Team, ctx: Context, clock: ManualClock
) -> None:
    ask(ctx)
    team.sign("alice", "bob")
    clock.at += 61 * MINUTE
    ctx.state.ledger.note("gate", "quiet", state="HELD")
    clock.at -= 30 * MINUTE
    with pytest.raises(HeldError, match="the clock was set back"):
        use(ctx)


def test_the_key_of_a_removed_approver_no_longer_counts(team: Team, clock: ManualClock) -> None:
    ask(team.context(clock))
    team.sign("alice", "bob")
    team.configure("alice", "carol")
    with pytest.raises(HeldError, match="bob is no approver; 1 of 2"):
        use(team.context(clock))


def test_open_requests_say_who_signed(team: Team, ctx: Context) -> None:
    ask(ctx)
    team.sign("carol")
    (request,) = open_requests(ctx)
    assert request.purpose == MATTER.purpose
    assert judged(ctx, request).approvers == ("carol",)
    request.path.unlink()
    (gone,) = open_requests(ctx)
    assert "is gone" in judged(ctx, gone).faults[0]


def test_without_approvers_the_name_is_typed_and_that_is_called_a_confirmation(
    team: Team, clock: ManualClock
) -> None:
    team.configure()
    ctx = team.context(clock)
    for typed in ("", "yes", "09_purge"):
        with pytest.raises(HeldError, match="second confirmation") as held:
            use(ctx, confirmation=typed)
        assert held.value.hint.endswith("--confirm 09_purge_tables")
    found = use(ctx, confirmation="09_purge_tables")
    assert (found.kind, found.approvers) == ("second confirmation", ())
    entry = ctx.state.ledger.entries(subject="approval")[0]
    assert entry.body["way"] == "second confirmation"


def test_with_approvers_no_confirmation_replaces_them(ctx: Context) -> None:
    with pytest.raises(HeldError, match="two approvers"):
        use(ctx, confirmation="09_purge_tables")
