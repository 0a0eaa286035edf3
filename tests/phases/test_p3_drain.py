from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import ManualClock, SystemClock
from migrator.core.errors import HeldError, RefusedError, UsageError
from migrator.core.stage import Stage
from migrator.gates.verdict import GateState, Verdict
from migrator.runner.gating.guard import require_gates
from phases import p3_drain
from tests.parts.drain import NO_SESSIONS, QUIET, Drain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrator.runner.context import Context
    from tests.parts.shim_fixtures import Pair

PATIENCE_S = 60


@pytest.fixture
def drain(tmp_path: Path, fresh_db: str, shims: Pair, monkeypatch: pytest.MonkeyPatch) -> Drain:
    parts = Drain(tmp_path, fresh_db, shims)
    for name, value in parts.env.items():
        monkeypatch.setenv(name, value)
    parts.prepare()
    return parts


def look(ctx: Context) -> Verdict:
    """Take a sample for the only gate before `auther`."""
    (verdict,) = p3_drain.run(ctx, p3_drain.plan(ctx, step="auther"))
    return verdict


def look_until(ctx: Context, wanted: Callable[[Verdict], bool]) -> list[Verdict]:
    """Sample until the verdict is what was wanted; give all verdicts."""
    verdicts, ends = [look(ctx)], time.monotonic() + PATIENCE_S
    while not wanted(verdicts[-1]):
        assert time.monotonic() < ends, verdicts
        time.sleep(0.2)
        verdicts.append(look(ctx))
    return verdicts


def passed(verdict: Verdict) -> bool:
    return verdict.state is GateState.PASSED


def test_a_quiet_path_passes_and_the_ledger_lets_the_step_begin(drain: Drain) -> None:
    ctx = drain.context()
    drain.shims[0].count("legacy", n=900)
    drain.shims[1].count("auther", n=50)
    verdicts = look_until(ctx, passed)
    assert [verdict.label for verdict in verdicts[:3]] == [
        "HELD",
        "ACCUMULATING 1/3",
        "ACCUMULATING 2/3",
    ]
    with pytest.raises(HeldError, match="never checked"):
        require_gates(ctx, "auther")
    assert p3_drain.settle(ctx, verdicts[-1:]) is GateState.PASSED
    (standing,) = require_gates(ctx, "auther")
    entry = ctx.state.ledger.latest("gate", "quiet", kind="note")
    assert entry is not None
    assert (standing.entry, standing.evidence_hash) == (entry.seq, entry.body["evidence_hash"])
    assert entry.body["evidence"]["increments"] == {"web-1": 0, "web-2": 0}
    assert p3_drain.verify(ctx) is GateState.PASSED


def test_one_legacy_request_fails_and_counting_begins_anew(drain: Drain) -> None:
    ctx = drain.context()
    look_until(ctx, passed)
    drain.shims[1].count("legacy")
    failed = look(ctx)
    assert (failed.state, failed.reason, failed.value) == (GateState.FAILED, "1 is above 0", 1)
    p3_drain.settle(ctx, [failed])
    with pytest.raises(RefusedError, match="quiet: FAILED, 1 is above 0"):
        require_gates(ctx, "auther")
    assert [v.label for v in look_until(ctx, passed)[:2]] == [
        "ACCUMULATING 1/3",
        "ACCUMULATING 2/3",
    ]


def test_refused_legacy_credentials_do_not_count(drain: Drain) -> None:
    ctx = drain.context()
    look(ctx)
    drain.shims[0].count("legacy", "refused", reason="legacy_refused", n=30)
    assert look(ctx).state is GateState.ACCUMULATING


@pytest.mark.parametrize(
    "fault",
    ["nan", "duplicate", "no_info", "garbage", "broken", "old", "deaf", "killed", "silent"],
)
def test_a_fault_holds_and_it_resumes_by_itself_when_data_returns(
    drain: Drain, fault: str
) -> None:
    ctx, shim = drain.context(), drain.shims[1]
    look(ctx)
    if fault == "killed":
        shim.kill()
    elif fault == "silent":
        drain.silence("web-2")
    else:
        shim.fault(fault)
    held = look(ctx)
    assert held.state is GateState.HELD, held.reason
    p3_drain.settle(ctx, [held])
    with pytest.raises(HeldError):
        require_gates(ctx, "auther")
    if fault == "killed":
        shim.start()
    elif fault == "silent":
        drain.wake("web-2")
    else:
        shim.fault("")
    look_until(ctx, passed)


def test_a_dead_exporter_never_passes_however_long_one_looks(drain: Drain) -> None:
    for shim in drain.shims:
        shim.kill()
    ctx = drain.context()
    for _ in range(4):
        assert look(ctx).state is GateState.HELD


def test_what_a_process_counted_before_its_end_is_lost_and_counting_begins_anew(
    drain: Drain,
) -> None:
    ctx, shim = drain.context(), drain.shims[0]
    shim.count("legacy", n=100)
    look(ctx)
    look_until(ctx, passed)
    shim.restart()
    held = look(ctx)
    assert (held.state, held.ok_in_a_row) == (GateState.HELD, 0)
    assert held.reason.startswith("UNPROVEN: web-1 began anew: what it counted after ")
    assert look(ctx).label == "ACCUMULATING 1/3"
    shim.restart()
    shim.count("legacy", n=2)
    failed = look(ctx)
    assert (failed.state, failed.value) == (GateState.FAILED, 2)


def test_requests_counted_while_another_instance_was_down_are_a_breach_at_once(
    drain: Drain,
) -> None:
    ctx = drain.context()
    look(ctx)
    drain.shims[0].count("legacy", n=2)
    drain.shims[1].kill()
    assert look(ctx).state is GateState.FAILED


def test_an_empty_list_of_gates_is_held(drain: Drain) -> None:
    drain.configure("")
    ctx = drain.context()
    assert p3_drain.settle(ctx, p3_drain.run(ctx, p3_drain.plan(ctx))) is GateState.HELD
    with pytest.raises(HeldError, match="no gate guards auther: an empty list proves nothing"):
        require_gates(ctx, "auther")


def test_a_changed_gate_invalidates_its_pass_and_its_samples(drain: Drain) -> None:
    ctx = drain.context()
    p3_drain.settle(ctx, look_until(ctx, passed)[-1:])
    require_gates(ctx, "auther")
    drain.configure(QUIET.replace("at_most = 0", "at_most = 5"))
    changed = drain.context()
    with pytest.raises(HeldError, match="INVALIDATED, the gate was changed"):
        require_gates(changed, "auther")
    (verdict,) = p3_drain.judged(changed, p3_drain.plan(changed))
    assert verdict.state is GateState.INVALIDATED


def test_a_rollback_of_the_stage_ends_every_pass_and_sample_before_it(drain: Drain) -> None:
    ctx = drain.context()
    p3_drain.settle(ctx, look_until(ctx, passed)[-1:])
    with ctx.state.ledger.recorded("stage", "rollback", stage="dual"):
        pass
    with pytest.raises(HeldError, match=r"INVALIDATED, the stage was changed at .* rollback"):
        require_gates(ctx, "auther")
    assert look(ctx).state is GateState.HELD


def test_a_pass_ends_after_24_hours(drain: Drain) -> None:
    ctx = drain.context()
    p3_drain.settle(ctx, look_until(ctx, passed)[-1:])
    almost = ManualClock(SystemClock().now() + timedelta(hours=23, minutes=59))
    require_gates(drain.context(clock=almost), "auther")
    tomorrow = ManualClock(SystemClock().now() + timedelta(hours=24, seconds=1))
    with pytest.raises(HeldError, match="EXPIRED, the pass ended"):
        require_gates(drain.context(clock=tomorrow), "auther")
    yesterday = ManualClock(SystemClock().now() - timedelta(hours=24))
    with pytest.raises(HeldError, match="still to come"):
        require_gates(drain.context(clock=yesterday), "auther")


def test_the_import_is_asked_without_any_shim(drain: Drain) -> None:
    gate = NO_SESSIONS.replace("legacy_sessions", "import_differences").replace("auther", "dual")
    drain.configure(gate)
    ctx = drain.context()
    planned = p3_drain.plan(ctx, step="dual")
    with ctx.state.ledger.recorded("import", "run"):
        pass
    (verdict,) = p3_drain.run(ctx, planned)
    assert verdict.reason == "NO_DATA: never verified: migrator import verify"
    with ctx.state.ledger.recorded("import", "verify") as facts:
        facts["differences"] = 0
    assert p3_drain.settle(ctx, p3_drain.run(ctx, planned)) is GateState.PASSED
    with ctx.state.ledger.recorded("stage", "rollback"):
        pass
    require_gates(ctx, "dual")
    with ctx.state.ledger.recorded("import", "run"):
        pass
    with pytest.raises(HeldError, match="INVALIDATED, the import wrote again"):
        require_gates(ctx, "dual")


def test_rolling_the_phase_back_begins_all_gates_anew(drain: Drain) -> None:
    ctx = drain.context()
    p3_drain.settle(ctx, look_until(ctx, passed)[-1:])
    assert p3_drain.rollback(ctx) == ("quiet",)
    with pytest.raises(HeldError, match="PENDING, nothing was measured yet"):
        require_gates(ctx, "auther")
    assert ctx.state.ledger.verify() == []


def test_gates_are_chosen_by_name_by_step_or_by_what_comes_next(drain: Drain) -> None:
    drain.configure(QUIET + NO_SESSIONS.replace('"auther"', '"remove"'))
    ctx = drain.context()
    assert [gate.name for gate in p3_drain.plan(ctx).gates] == ["quiet"]
    assert [gate.name for gate in p3_drain.plan(ctx, step="remove").gates] == ["no-sessions"]
    assert [gate.name for gate in p3_drain.plan(ctx, names=["no-sessions"]).gates] == [
        "no-sessions"
    ]
    with pytest.raises(UsageError, match="no gate is called quite; there are: quiet, no-sessions"):
        p3_drain.plan(ctx, names=["quite"])


def test_the_standing_names_what_holds_and_the_next_command(drain: Drain) -> None:
    ctx = drain.context()
    before = p3_drain.standing(ctx)
    assert before.held == ("quiet: PENDING, never checked",)
    assert before.next_command == "migrator gate check --before auther --wait"
    p3_drain.settle(ctx, look_until(ctx, passed)[-1:])
    after = p3_drain.standing(ctx)
    assert (after.held, after.next_command) == ((), "migrator dual-path stage set auther")
    ctx.state.checkpoints.put("remove", "applied", ["01_guard"])
    assert p3_drain.standing(ctx).done


def test_a_survey_shows_both_sources_and_takes_no_sample(drain: Drain) -> None:
    ctx = drain.context()
    drain.sign_in("user", rows=3)
    drain.sign_in("visitor", rows=2)
    drain.shims[0].count("legacy", n=5)
    planned = p3_drain.plan(ctx)
    first = p3_drain.survey(ctx, planned)
    assert (first.sessions.holding, first.sessions.anonymous) == (3, 2)
    assert (first.scraped, first.controlled, first.alive, first.doubts) == (2, 2, 2, ())
    assert [(row.instance, row.since_start, row.since_last) for row in first.counters] == [
        ("web-1", 5, None)
    ]
    drain.shims[0].count("legacy", n=2)
    drain.shims[1].count("auther", n=1)
    second = p3_drain.survey(ctx, planned)
    assert [(row.instance, row.since_start, row.since_last) for row in second.counters] == [
        ("web-1", 7, 2),
        ("web-2", 1, 1),
    ]
    assert second.bound is not None
    assert ctx.state.samples.of("quiet") == []


@pytest.mark.parametrize(
    ("before", "after", "ends"),
    [
        ({"stage": "drain", "percent": 100.0}, {"stage": "auther", "percent": 100.0}, True),
        ({"stage": "drain", "percent": 100.0}, {"stage": "dual", "percent": 100.0}, True),
        ({"stage": "dual", "percent": 50.0}, {"stage": "dual", "percent": 10.0}, True),
        ({"stage": "dual", "percent": 10.0}, {"stage": "dual", "percent": 50.0}, False),
    ],
)
def test_a_pass_holds_within_its_stage_while_more_browsers_go_to_auther(
    drain: Drain, before: dict[str, object], after: dict[str, object], ends: bool
) -> None:
    ctx = drain.context()
    p3_drain.settle(ctx, look_until(ctx, passed)[-1:])
    ctx.state.ledger.intent("stage", "set", before=before, after=after)
    if ends:
        with pytest.raises(HeldError, match="INVALIDATED, the stage was changed"):
            require_gates(ctx, "auther")
        assert look(ctx).state is GateState.HELD
    else:
        require_gates(ctx, "auther")


def days_later(days: float) -> ManualClock:
    return ManualClock(SystemClock().now() + timedelta(days=days))


def test_each_survey_forecasts_from_the_counts_kept_so_far_and_is_judged_in_the_end(
    drain: Drain,
) -> None:
    for day, gone in enumerate([0, 240, 30, 10, 5, 3, 2]):
        if day == 0:
            drain.sign_in("user", rows=300)
        drain.sign_out(gone)
        ctx = drain.context(clock=days_later(day / 10))
        (none_left, few_left) = p3_drain.survey(ctx, p3_drain.plan(ctx)).forecasts
    assert (none_left.rest, few_left.rest) == (0, 10)
    assert few_left.p50 is not None
    assert none_left.p50 is not None
    assert few_left.p50 < none_left.p50
    assert (none_left.median_error_hours, few_left.median_error_hours is None) == (None, False)
    drain.end_sessions()
    ctx = drain.context(clock=days_later(0.8))
    (over, _) = p3_drain.survey(ctx, p3_drain.plan(ctx)).forecasts
    assert (over.why, over.p50) == ("no more than 0 are left", ctx.clock.now())
    assert over.median_error_hours is not None
    assert over.judged > 0


def test_a_count_with_a_doubt_is_not_kept(drain: Drain) -> None:
    drain.sign_in("cut_off")
    ctx = drain.context()
    (found, _) = p3_drain.survey(ctx, p3_drain.plan(ctx)).forecasts
    assert (found.p90, found.why) == (None, "nothing was counted since the drain began")


def test_counts_outlive_a_stage_document_that_only_brings_the_deadline_nearer(
    drain: Drain,
) -> None:
    ctx = drain.context()
    ctx.state.ledger.intent("stage", "set", before={"stage": "dual"}, after={"stage": "drain"})
    drain.begin(Stage.DRAIN)
    for days, rows in ((0, 3), (0.1, 0)):
        drain.end_sessions()
        drain.sign_in("user", rows=rows)
        later = drain.context(clock=days_later(days))
        p3_drain.survey(later, p3_drain.plan(later))
    drain.begin(Stage.DRAIN)
    again = drain.context(clock=days_later(0.2))
    (found, _) = p3_drain.survey(again, p3_drain.plan(again)).forecasts
    assert found.p50 is not None
    assert found.p50 < again.clock.now() - timedelta(hours=2)


def test_before_the_drain_nothing_is_forecast(drain: Drain) -> None:
    drain.begin(Stage.DUAL)
    ctx = drain.context()
    (found,) = p3_drain.survey(ctx, p3_drain.plan(ctx)).forecasts
    assert (found.p90, found.why) == (None, "legacy sessions are still issued")
