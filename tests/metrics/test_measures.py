from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.metrics.base import Base, Mark, base_from_json, increment
from migrator.metrics.both_sides import ImportLook, PasswordsLook
from migrator.metrics.interface import (
    Doubt,
    FleetLook,
    Grade,
    Heartbeat,
    Labels,
    Process,
    Reading,
    SessionsLook,
    ShimLook,
    ShimsLook,
)
from migrator.metrics.look import Look
from migrator.metrics.measures import MEASURES, Terms

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
STARTED_S = AT.timestamp() - 3600
LEGACY = Labels("legacy", "accepted", "drain", "", synthetic=False)
MARKER = Labels("legacy", "accepted", "drain", "", synthetic=True)
AUTHER = Labels("auther", "accepted", "drain", "", synthetic=False)
REFUSED = Labels("legacy", "refused", "auther", "legacy_refused", synthetic=False)
CONFLICT = Labels("both", "refused", "drain", "conflict", synthetic=False)
UNAVAILABLE = Labels("auther", "unavailable", "drain", "verification_unavailable", synthetic=False)


def process(
    requests: dict[Labels, float], *, name: str = "web-1", started_s: float = STARTED_S
) -> Process:
    return Process(name, "1", "drain", 7, "live", started_s, {MARKER: 1, **requests})


def look(*processes: Process, at: datetime = AT, controlled: bool = True, **parts: object) -> Look:
    beats = tuple(
        Heartbeat(p.instance, "1", "drain", 7, legacy_capable=True, age=timedelta(seconds=1))
        for p in processes
    )
    shims = tuple(ShimLook("a", p, control_counted=controlled) for p in processes)
    return Look(at=at, shims=ShimsLook(shims), fleet=FleetLook(beats), **parts)  # type: ignore[arg-type]


def terms(base: Base | None = None, *, expected: int = 1, control: bool = True) -> Terms:
    return Terms(expected, timedelta(seconds=30), control, base)


def read(measure: str, first: Look, second: Look, **how: object) -> Reading:
    """Measure twice, as a gate does: the second reading counts from the first."""
    begun = MEASURES[measure].read(first, terms(**how))  # type: ignore[index,arg-type]
    base = base_from_json(json.loads(json.dumps(begun.evidence["base"])))
    return MEASURES[measure].read(second, terms(base, **how))  # type: ignore[index,arg-type]


def test_the_first_look_only_sets_where_counting_begins() -> None:
    reading = MEASURES["legacy_requests"].read(look(process({LEGACY: 900})), terms())
    assert (reading.value, [doubt.grade for doubt in reading.doubts]) == (None, [Grade.NO_DATA])


@pytest.mark.parametrize(
    ("measure", "counted"),
    [
        ("legacy_requests", 2),
        ("total_requests", 2 + 10 + 3 + 4 + 5),
        ("identity_conflicts", 4),
        ("verification_unavailable", 5),
    ],
)
def test_each_measurement_counts_its_own_requests_since_the_look_before(
    measure: str, counted: int
) -> None:
    before = process({LEGACY: 100, AUTHER: 50})
    now = process({LEGACY: 102, AUTHER: 60, REFUSED: 3, CONFLICT: 4, UNAVAILABLE: 5})
    reading = read(measure, look(before), look(now, at=LATER))
    assert (reading.value, reading.doubts) == (counted, ())
    assert reading.window == timedelta(minutes=5)


def test_markers_and_refused_legacy_credentials_are_not_legacy_requests() -> None:
    now = process({MARKER: 50, REFUSED: 9})
    assert read("legacy_requests", look(process({})), look(now, at=LATER)).value == 0


def test_a_marker_that_nobody_counted_leaves_zero_unproven() -> None:
    silent = look(process({}), at=LATER, controlled=False)
    reading = read("legacy_requests", look(process({})), silent)
    assert (reading.value, [doubt.grade for doubt in reading.doubts]) == (0, [Grade.UNPROVEN])
    assert not read("total_requests", look(process({})), silent, control=False).doubts


def test_an_expected_instance_that_is_missing_leaves_zero_unproven() -> None:
    reading = read("legacy_requests", look(process({})), look(process({}), at=LATER), expected=2)
    assert [doubt.grade for doubt in reading.doubts] == [Grade.UNPROVEN]


def test_a_restarted_process_counts_from_zero_and_what_it_counted_last_is_lost() -> None:
    restarted = process({LEGACY: 7}, started_s=AT.timestamp() + 60)
    reading = read("legacy_requests", look(process({LEGACY: 100})), look(restarted, at=LATER))
    assert (reading.value, reading.doubts) == (7, ())
    (lost,) = reading.lost
    assert lost.startswith("web-1 began anew: what it counted after 2026-11-23T03:00:00")


def test_an_instance_that_is_gone_takes_its_last_counts_with_it() -> None:
    other = process({}, name="web-2")
    begun = MEASURES["legacy_requests"].read(look(process({}), other), terms())
    base = base_from_json(begun.evidence["base"])

    def lost(age_s: float, **parts: object) -> tuple[str, ...]:
        beats = tuple(
            Heartbeat(name, "1", "drain", 7, legacy_capable=True, age=timedelta(seconds=age))
            for name, age in (("web-1", 1), ("web-2", age_s))
        )
        found = replace(look(process({}), at=LATER), **{"fleet": FleetLook(beats), **parts})
        return MEASURES["legacy_requests"].read(found, terms(base)).lost

    gone = ("web-2 is gone: what it counted last is lost",)
    assert lost(1) == ()
    assert lost(31) == lost(329) == gone
    assert lost(331) == ()
    assert lost(1, fleet=FleetLook(doubts=(Doubt(Grade.ERROR, "down"),))) == gone
    assert lost(1, fleet=look(process({})).fleet) == gone


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (process({LEGACY: 5}), process({LEGACY: 4})),
        (process({LEGACY: 5}), process({LEGACY: 9}, started_s=STARTED_S - 60)),
        (process({}, name="web-0"), process({LEGACY: 9}, name="web-1")),
    ],
    ids=["backwards", "an older process", "ran unseen"],
)
def test_where_nobody_can_say_how_much_is_new_it_is_ambiguous(
    before: Process, now: Process
) -> None:
    reading = read("legacy_requests", look(before), look(now, at=LATER))
    assert Grade.AMBIGUOUS in {doubt.grade for doubt in reading.doubts}
    assert reading.value is None


def test_a_new_instance_counts_in_full_but_another_of_its_name_may_have_been_there() -> None:
    born = process({LEGACY: 2}, name="web-2", started_s=AT.timestamp() + 10)
    idle = process({}, name="web-3")
    now = look(process({}), born, idle, at=LATER)
    reading = read("legacy_requests", look(process({})), now)
    assert (reading.value, reading.doubts) == (2, ())
    assert [said.partition(":")[0] for said in reading.lost] == [
        "web-2 was not read before",
        "web-3 was not read before",
    ]


def test_a_hole_is_a_doubt_of_the_count_that_it_falls_into_and_of_no_later_one() -> None:
    whole, holed = process({}), replace(process({}), holes=2, hole="a line that cannot be read")
    begun = MEASURES["legacy_requests"].read(look(whole), terms())
    first = MEASURES["legacy_requests"].read(
        look(holed, at=LATER), terms(base_from_json(begun.evidence["base"]))
    )
    assert (first.value, [doubt.grade for doubt in first.doubts]) == (0, [Grade.AMBIGUOUS])
    assert first.doubts[0].reason == "web-1: a line that cannot be read: its count is too small"
    second = MEASURES["legacy_requests"].read(
        look(holed, at=LATER + timedelta(minutes=5)),
        terms(base_from_json(first.evidence["base"])),
    )
    assert (second.value, second.doubts) == (0, ())
    again = replace(holed, started_at_s=LATER.timestamp(), holes=1)
    third = MEASURES["legacy_requests"].read(
        look(again, at=LATER + timedelta(minutes=10)),
        terms(base_from_json(second.evidence["base"])),
    )
    assert len(third.doubts) == 1


def test_what_was_counted_while_an_instance_could_not_be_read_is_not_lost() -> None:
    other = process({}, name="web-2")
    begun = MEASURES["legacy_requests"].read(look(process({LEGACY: 10}), other), terms())
    base = base_from_json(begun.evidence["base"])
    gone = MEASURES["legacy_requests"].read(look(other, at=LATER), terms(base))
    back = look(process({LEGACY: 13}), other, at=LATER + timedelta(minutes=5))
    reading = MEASURES["legacy_requests"].read(back, terms(base_from_json(gone.evidence["base"])))
    assert (reading.value, reading.doubts) == (3, ())


@given(before=st.integers(0, 1000), now=st.integers(0, 1000), restarted_s=st.integers(-100, 100))
def test_an_increment_never_is_smaller_than_what_surely_was_counted(
    before: int, now: int, restarted_s: int
) -> None:
    base = Base(AT, {"web-1": Mark(STARTED_S, before, AT)})
    found = increment("web-1", Mark(STARTED_S + restarted_s, now, LATER), base)
    if restarted_s > 0:
        assert found == now
    elif restarted_s == 0 and now >= before:
        assert found == now - before
    else:
        assert isinstance(found, Doubt)


def test_sessions_that_hold_a_user_are_counted_and_doubts_kept() -> None:
    found = SessionsLook(holding=3, anonymous=9)
    assert MEASURES["legacy_sessions"].read(Look(AT, sessions=found), terms()).value == 3
    doubted = SessionsLook(undecodable=1, doubts=(Doubt(Grade.AMBIGUOUS, "1 row"),))
    reading = MEASURES["legacy_sessions"].read(Look(AT, sessions=doubted), terms())
    assert (reading.value, reading.doubts) == (0, doubted.doubts)


def test_a_store_that_could_not_be_read_has_no_number() -> None:
    down = SessionsLook(doubts=(Doubt(Grade.ERROR, "down"),))
    reading = MEASURES["legacy_sessions"].read(Look(AT, sessions=down), terms())
    assert (reading.value, reading.doubts) == (None, down.doubts)


def test_after_the_deadline_no_session_is_accepted_whatever_the_rows_hold() -> None:
    found = Look(AT, sessions=SessionsLook(holding=3), deadline=AT - timedelta(seconds=1))
    reading = MEASURES["legacy_sessions"].read(found, terms())
    assert (reading.value, reading.doubts) == (0, ())
    assert "deadline_passed" in reading.evidence


def test_differences_of_the_import_are_what_the_ledger_says() -> None:
    found = Look(AT, import_check=ImportLook(2, AT))
    assert MEASURES["import_differences"].read(found, terms()).value == 2
    never = ImportLook(doubts=(Doubt(Grade.NO_DATA, "never verified"),))
    reading = MEASURES["import_differences"].read(Look(AT, import_check=never), terms())
    assert (reading.value, reading.doubts) == (None, never.doubts)


def test_an_auther_without_our_accounts_proves_nothing_about_their_hashes() -> None:
    def measured(found: PasswordsLook) -> Reading:
        terms = Terms(1, timedelta(minutes=1), control=False, base=None)
        return MEASURES["unrehashed_users"].read(Look(AT, passwords=found), terms)

    assert measured(PasswordsLook(users=9, ours=1, native=1)).value == 0
    strange = measured(PasswordsLook(users=9))
    assert (strange.value, [doubt.grade for doubt in strange.doubts]) == (None, [Grade.NO_DATA])
