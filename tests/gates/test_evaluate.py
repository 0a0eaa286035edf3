from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.gates.evaluate import LOOK_TAKES, Sample, evaluate
from migrator.gates.verdict import GateState, Verdict
from migrator.metrics.interface import Grade
from tests.gates.specs import AT, MINUTE, sample, spec

SPEC = spec()
DOUBTS = [g for g in Grade if g not in {Grade.OK, Grade.BREACH}]
FROM_BEST = [Grade.OK, *DOUBTS, Grade.BREACH]


def judged(samples: list[Sample], *, minute: float | None = None) -> Verdict:
    """Judge at a minute, or at the moment of the newest sample."""
    newest = max((s.at for s in samples), default=AT)
    return evaluate(SPEC, samples, now=newest if minute is None else AT + minute * MINUTE)


def ok(*minutes: float) -> list[Sample]:
    return [sample(minute) for minute in minutes]


def test_without_a_sample_a_gate_is_pending() -> None:
    reason = "nothing was measured yet"
    assert judged([]) == Verdict(SPEC, GateState.PENDING, reason, next_look=AT)


def test_the_first_ok_samples_accumulate_and_say_what_is_missing() -> None:
    verdict = judged(ok(0, 1))
    assert verdict.label == "ACCUMULATING 2/3"
    assert verdict.reason == "2 of 3 OK in a row, 1m of 10m"
    assert verdict.next_look == AT + 2 * MINUTE
    assert (verdict.good_until, verdict.covered) == (None, 0.1)


def test_what_is_there_already_is_not_said_to_be_missing() -> None:
    assert judged(ok(0, 1, 2)).missing == "2m of 10m"
    assert judged(ok(*range(11))).missing == ""


def test_enough_in_a_row_do_not_pass_before_the_span_is_over() -> None:
    assert judged(ok(*range(10))).state is GateState.ACCUMULATING
    verdict = judged(ok(*range(11)))
    assert verdict.state is GateState.PASSED
    assert verdict.good_until == AT + 10 * MINUTE + timedelta(hours=24)


def test_a_pass_before_the_removal_is_good_for_a_quarter_of_an_hour() -> None:
    removal = spec(before="remove")
    samples = [sample(minute, of=removal) for minute in range(11)]
    verdict = evaluate(removal, samples, now=AT + 10 * MINUTE)
    assert verdict.good_until == AT + 25 * MINUTE
    assert evaluate(removal, samples, now=AT + 25 * MINUTE).state is GateState.PASSED
    late = evaluate(removal, samples, now=AT + 25 * MINUTE + timedelta(microseconds=1))
    assert (late.state, late.state.exit_code) == (GateState.EXPIRED, 3)
    assert (late.reason, late.next_look) == (
        "the pass ended at 2026-11-23T03:25:00.000000Z",
        late.good_until + timedelta(microseconds=1),
    )


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_doubt_now_holds_and_names_itself(doubt: Grade) -> None:
    verdict = judged([*ok(*range(11)), sample(11, doubt)])
    assert (verdict.state, verdict.reason) == (GateState.HELD, f"{doubt}: is {doubt}")
    assert verdict.state.exit_code == 3


def test_a_breach_now_fails() -> None:
    verdict = judged([*ok(*range(11)), sample(11, Grade.BREACH)])
    assert (verdict.state, verdict.state.exit_code) == (GateState.FAILED, 1)
    assert verdict.missing == "0 of 3 OK in a row, 0s of 10m"
    assert verdict.covered == 0


def test_after_a_breach_the_whole_span_begins_anew() -> None:
    samples = [*ok(*range(11)), sample(11, Grade.BREACH), *ok(*range(12, 22))]
    assert judged(samples).label == "ACCUMULATING 3/3"
    assert judged([*samples, sample(22)]).state is GateState.PASSED


def test_after_a_doubt_it_resumes_by_itself_once_enough_are_ok_in_a_row() -> None:
    samples = [*ok(*range(11)), sample(11, Grade.ERROR), *ok(12, 13)]
    assert judged(samples).label == "ACCUMULATING 2/3"
    assert judged([*samples, sample(14)]).state is GateState.PASSED


def test_doubts_may_take_a_tenth_of_the_span_and_no_more() -> None:
    def with_doubts(*doubtful: int) -> Verdict:
        return judged([sample(m, Grade.ERROR if m in doubtful else Grade.OK) for m in range(11)])

    assert (with_doubts(5).state, with_doubts(5).missing) == (GateState.PASSED, "")
    verdict = with_doubts(3, 5)
    assert verdict.state is GateState.ACCUMULATING
    assert verdict.reason == "OK samples cover 80% of the span, 90% needed"


def test_many_samples_in_one_second_stand_for_one_second() -> None:
    crowd = ok(*(i / 600 for i in range(60)))
    assert judged([*crowd, *ok(2.5, 5, 7.5, 10)]).state is not GateState.PASSED


def test_a_long_silence_begins_anew() -> None:
    assert judged(ok(*range(11), 30)).label == "ACCUMULATING 1/3"
    longest = 10 + SPEC.longest_gap / MINUTE
    assert judged(ok(*range(11), longest)).ok_in_a_row == 12
    assert judged(ok(*range(11), longest + 0.001)).ok_in_a_row == 1


def test_when_nobody_looks_any_more_it_is_held() -> None:
    verdict = judged(ok(0, 1, 2), minute=30)
    assert verdict.state is GateState.HELD
    assert verdict.reason == "nobody has looked for 28m: counting begins anew"
    breach = judged([sample(0, Grade.BREACH)], minute=30)
    assert breach.state is GateState.HELD
    longest = 2 + SPEC.longest_gap / MINUTE
    still = judged(ok(0, 1, 2), minute=longest)
    assert (still.state, still.since) == (GateState.ACCUMULATING, AT)
    silent = judged(ok(0, 1, 2), minute=longest + 0.001)
    assert (silent.state, silent.since) == (GateState.HELD, AT + longest * MINUTE)


def test_a_pass_outlives_the_end_of_sampling_until_it_expires() -> None:
    assert judged(ok(*range(11)), minute=600).state is GateState.PASSED
    assert judged(ok(*range(11)), minute=24 * 60 + 11).state is GateState.EXPIRED


def test_one_more_ok_look_leaves_a_pass_as_it_was_and_a_bad_one_ends_it() -> None:
    until = AT + timedelta(hours=24)

    def later(grade: Grade, *, minute: int = 600) -> Verdict:
        samples = [*ok(*range(11)), sample(minute, grade)]
        return evaluate(SPEC, samples, now=AT + minute * MINUTE, pass_until=until)

    assert (later(Grade.OK).state, later(Grade.OK).good_until) == (GateState.PASSED, until)
    assert later(Grade.ERROR).state is GateState.HELD
    assert later(Grade.BREACH).state is GateState.FAILED
    assert later(Grade.OK, minute=24 * 60).state is GateState.PASSED
    assert later(Grade.OK, minute=24 * 60 + 1).state is GateState.ACCUMULATING


def test_a_breach_ends_a_pass_though_nobody_wrote_that_down_before_the_next_look() -> None:
    until = AT + 10 * MINUTE + SPEC.good_for
    samples = [*ok(*range(11)), sample(11, Grade.BREACH), sample(12)]
    found = evaluate(SPEC, samples, now=AT + 12 * MINUTE, pass_until=until)
    assert (found.state, found.good_until) == (GateState.ACCUMULATING, None)
    before_it = [sample(9, Grade.BREACH), *ok(10, 11)]
    again = evaluate(SPEC, before_it, now=AT + 11 * MINUTE, pass_until=until)
    assert again.state is GateState.PASSED
    beside_it = [*ok(*range(11)), sample(10, Grade.BREACH), sample(12)]
    found = evaluate(SPEC, beside_it, now=AT + 12 * MINUTE, pass_until=until)
    assert (found.state, found.good_until) == (GateState.ACCUMULATING, None)


def test_samples_of_another_specification_invalidate_and_never_count() -> None:
    loose = spec(at_most=100)
    others = [sample(minute, of=loose) for minute in range(11)]
    reason = "the gate was changed after it was measured: counting begins anew"
    changed = Verdict(SPEC, GateState.INVALIDATED, reason, next_look=AT + 10 * MINUTE)
    assert judged(others) == changed
    assert judged([*others, sample(11)]).label == "ACCUMULATING 1/3"


def test_a_sample_from_the_future_is_a_clock_to_look_at() -> None:
    verdict = judged(ok(*range(11)), minute=-60)
    assert verdict.state is GateState.HELD
    assert verdict.reason == (
        "the newest sample is from 2026-11-23T03:10:00.000000Z, which is still to come: "
        "check the clock"
    )
    just_borne = judged(ok(0), minute=-SPEC.longest_gap / MINUTE)
    assert just_borne.state is GateState.ACCUMULATING
    a_second_ahead = judged(ok(*range(11)), minute=10 - 1 / 60)
    assert a_second_ahead.state is GateState.PASSED


def test_one_sample_is_enough_where_the_gate_asks_for_one() -> None:
    once = spec(consecutive=1, span=timedelta(0))
    verdict = evaluate(once, [sample(0, of=once)], now=AT)
    assert (verdict.state, verdict.covered) == (GateState.PASSED, 1)


# Mostly calm, or no list would ever pass: a third of these do, or nearly so.
STEPS = st.tuples(
    st.sampled_from([1.0] * 30 + [0.1, 1.4, 3.2]), st.sampled_from([*[Grade.OK] * 60, *Grade])
)
GRADES = st.lists(STEPS, min_size=1) | st.lists(STEPS, min_size=9, max_size=40)


def series(steps: list[tuple[float, Grade]]) -> list[Sample]:
    minute, samples = 0.0, []
    for step, grade in steps:
        minute += step
        samples.append(sample(minute, grade))
    return samples


@given(GRADES)
def test_what_passed_is_ok_at_the_end_over_the_whole_span_without_a_breach(
    steps: list[tuple[float, Grade]],
) -> None:
    samples = series(steps)
    if judged(samples).state is not GateState.PASSED:
        return
    begins = samples[-1].at - SPEC.span
    inside = [s for s in samples if s.at >= begins]
    assert [s.grade for s in samples[-SPEC.consecutive :]] == [Grade.OK] * SPEC.consecutive
    assert samples[0].at <= begins
    assert Grade.BREACH not in {s.grade for s in inside}
    ok_count = sum(s.grade is Grade.OK for s in inside)
    assert ok_count >= 0.9 * (SPEC.span / (SPEC.interval + LOOK_TAKES))
    assert all(after.at - before.at <= SPEC.longest_gap for before, after in pairwise(inside))


@given(GRADES, st.data())
def test_a_worse_sample_never_makes_a_pass(
    steps: list[tuple[float, Grade]], data: st.DataObject
) -> None:
    if judged(series(steps)).state is GateState.PASSED:
        return
    index = data.draw(st.integers(0, len(steps) - 1))
    gap, grade = steps[index]
    worse = data.draw(st.sampled_from(FROM_BEST[FROM_BEST.index(grade) :]))
    worsened = [*steps[:index], (gap, worse), *steps[index + 1 :]]
    assert judged(series(worsened)).state is not GateState.PASSED


@given(GRADES, st.data())
def test_a_sample_that_was_not_taken_never_makes_a_pass(
    steps: list[tuple[float, Grade]], data: st.DataObject
) -> None:
    samples = series(steps)
    if judged(samples).state is GateState.PASSED or samples[-1].grade is not Grade.OK:
        return
    lost = data.draw(st.sampled_from([s for s in samples if s.grade is Grade.OK]))
    rest = [s for s in samples if s is not lost]
    assert judged(rest).state is not GateState.PASSED


@given(GRADES)
def test_the_order_in_which_samples_arrive_does_not_matter(
    steps: list[tuple[float, Grade]],
) -> None:
    samples = series(steps)
    assert judged(samples[::-1]) == judged(samples)


@given(st.integers(0, 40))
def test_undisturbed_it_passes_with_the_span_and_not_before(minutes: int) -> None:
    passed = judged(ok(*range(minutes + 1))).state is GateState.PASSED
    assert passed == (minutes >= 10)
