"""Numbers out of ledger, state and our own tables: each class of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.config.secrets import SecretRef
from migrator.core.clock import ManualClock, iso
from migrator.core.errors import DependencyError
from migrator.metrics.canary_check import CanaryCheck
from migrator.metrics.capacity_check import CapacityCheck
from migrator.metrics.interface import FactLook, Grade, no_fact
from migrator.metrics.look import Look
from migrator.metrics.measures import MEASURES, Terms
from migrator.metrics.pinned_users import PinnedUsers
from migrator.metrics.rehearsal import Rehearsal
from migrator.metrics.shadow_check import ShadowCheck, Shadowed
from migrator.state.ledger import Branch
from migrator.state.store import State, open_state
from tests.parts.stage_file import SIDE_TABLES

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 23, tzinfo=UTC)
TERMS = Terms(expected=1, within=timedelta(0), control=False, base=None)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(AT)


@pytest.fixture
def state(tmp_path: Path, clock: ManualClock) -> State:
    return open_state("sqlite:s.db", root=tmp_path, clock=clock)


def grade(look: FactLook) -> Grade:
    assert look.value is None
    (doubt,) = look.doubts
    return doubt.grade


@pytest.mark.parametrize(
    ("measure", "part"),
    [
        ("canaries_refused", "canary_check"),
        ("shadow_refused_share", "shadow_check"),
        ("sign_in_load", "capacity_check"),
        ("unacknowledged_users", "pinned_users"),
        ("rollbacks", "rehearsal"),
    ],
)
def test_a_measure_reads_its_source_and_nothing_else(measure: str, part: str) -> None:
    measured = MEASURES[measure]  # type: ignore[index]
    assert measured.sources == {part}
    found = measured.read(Look(AT, **{part: FactLook(3, AT, evidence={"n": 1})}), TERMS)  # type: ignore[arg-type]
    assert (found.value, found.doubts, found.evidence) == (3, (), {"n": 1, "at": iso(AT)})
    doubted = measured.read(Look(AT, **{part: no_fact(Grade.STALE, "old")}), TERMS)  # type: ignore[arg-type]
    assert (doubted.value, doubted.doubts[0].grade) == (None, Grade.STALE)
    assert measured.read(Look(AT), TERMS).doubts[0].grade is Grade.NO_DATA


class TestCanaries:
    @pytest.fixture
    def source(self, state: State, clock: ManualClock) -> CanaryCheck:
        return CanaryCheck(state.ledger, clock)

    def test_none_was_tried(self, source: CanaryCheck) -> None:
        assert grade(source.look()) is Grade.NO_DATA

    def test_the_newest_proof_counts(self, source: CanaryCheck, state: State) -> None:
        with state.ledger.recorded("import", "run"):
            pass
        state.ledger.note("import", "prove", canaries=9, failed=2)
        state.ledger.note("import", "prove", canaries=9, failed=0)
        assert source.look() == FactLook(0, AT, evidence={"canaries": 9})

    def test_one_before_the_import_wrote_is_stale(self, source: CanaryCheck, state: State) -> None:
        state.ledger.note("import", "prove", canaries=9, failed=0)
        with state.ledger.recorded("import", "run"):
            pass
        assert grade(source.look()) is Grade.STALE

    def test_after_a_day_it_is_stale(
        self, source: CanaryCheck, state: State, clock: ManualClock
    ) -> None:
        state.ledger.note("import", "prove", canaries=9, failed=0)
        clock.at += 25 * HOUR
        assert grade(source.look()) is Grade.STALE

    def test_no_canary_proves_nothing(self, source: CanaryCheck, state: State) -> None:
        state.ledger.note("import", "prove", canaries=0, failed=0)
        assert grade(source.look()) is Grade.AMBIGUOUS


class TestRehearsal:
    def test_only_a_rollback_that_got_out_counts(self, state: State) -> None:
        source = Rehearsal(state.ledger)
        assert source.look() == FactLook(0, None)
        refused = state.ledger.intent("stage", "rollback")
        state.ledger.outcome(refused, result="not published")
        moved = state.ledger.intent("stage", "set")
        state.ledger.outcome(moved, result="published")
        assert source.look().value == 0
        done = state.ledger.intent("stage", "rollback")
        state.ledger.outcome(done, result="published")
        assert source.look() == FactLook(1, AT)

    def test_one_without_the_state_counts_when_it_is_merged(self, state: State) -> None:
        state.ledger.note("stage", "set")
        head = state.ledger.entries()[0]
        state.ledger.merge("stage", Branch((head,)), undone=1)
        assert Rehearsal(state.ledger).look().value == 1


class TestCapacity:
    def look(
        self, state: State, clock: ManualClock, peak: float | None = 2, **kept: object
    ) -> FactLook:
        usual = {"base_url": "https://id", "at": iso(AT), "sign_ins_per_s": 8.0}
        state.checkpoints.put("auther", "capacity", usual | kept)
        return CapacityCheck(state.checkpoints, clock, "https://id", peak).look()

    def test_it_is_the_share_that_the_peak_needs(self, state: State, clock: ManualClock) -> None:
        found = self.look(state, clock)
        assert (found.value, found.at, found.doubts) == (0.25, AT, ())

    def test_without_a_peak_or_a_measurement_nothing_is_known(
        self, state: State, clock: ManualClock
    ) -> None:
        unmeasured = CapacityCheck(state.checkpoints, clock, "https://id", 2).look()
        assert grade(unmeasured) is Grade.NO_DATA
        assert grade(self.look(state, clock, peak=None)) is Grade.NO_DATA
        assert grade(self.look(state, clock, base_url="https://other")) is Grade.NO_DATA

    def test_an_old_one_and_an_impossible_one(self, state: State, clock: ManualClock) -> None:
        assert grade(self.look(state, clock, sign_ins_per_s=0)) is Grade.AMBIGUOUS
        clock.at += timedelta(days=31)
        assert grade(self.look(state, clock)) is Grade.STALE


class TestShadow:
    def look(self, clock: ManualClock, newest: datetime | None) -> FactLook:
        return ShadowCheck(lambda: Shadowed(0.0009, 3300, 0, newest), clock).look()

    def test_it_is_the_bound_that_the_checks_prove(self, clock: ManualClock) -> None:
        found = self.look(clock, AT - HOUR)
        assert (found.value, found.doubts) == (0.0009, ())
        assert found.evidence == {"users": 3300, "mismatched": 0}

    def test_without_a_check_or_with_old_ones_nothing_is_known(self, clock: ManualClock) -> None:
        assert grade(self.look(clock, None)) is Grade.NO_DATA
        assert grade(self.look(clock, AT - timedelta(days=8))) is Grade.STALE

    def test_a_database_that_is_away_is_an_error(self, clock: ManualClock) -> None:
        def away() -> Shadowed:
            raise DependencyError("no database")

        assert grade(ShadowCheck(away, clock).look()) is Grade.ERROR


class TestPinned:
    @pytest.fixture
    def source(
        self, fresh_db: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> PinnedUsers:
        monkeypatch.setenv("PINNED_DSN", fresh_db)
        dsn = SecretRef("env", "PINNED_DSN")
        return PinnedUsers(dsn, tmp_path, "User", "", timedelta(seconds=5), ManualClock(AT))

    def pin(self, dsn: str, **pinned: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS migrator_identity, migrator_instance")
            connection.execute(SIDE_TABLES)
            for pk, reason in pinned.items():
                connection.execute(
                    "INSERT INTO migrator_identity (source, user_pk, auther_id, pinned_reason)"
                    " VALUES ('User', %s, %s, %s)",
                    (pk, pk, reason or None),
                )

    def acknowledging(self, source: PinnedUsers) -> PinnedUsers:
        known = source.read(rows=0).list_hash
        return PinnedUsers(
            source.dsn, source.root, source.source, known, source.timeout, source.clock
        )

    def test_they_count_until_exactly_that_list_is_acknowledged(
        self, source: PinnedUsers, fresh_db: str
    ) -> None:
        self.pin(fresh_db, a="second_factor", b="email", c="")
        assert source.look().value == 2
        assert source.read(rows=1).shown == (("a", "second_factor"),)
        known = self.acknowledging(source)
        assert (known.look().value, known.look().evidence["pinned"]) == (0, 2)
        self.pin(fresh_db, a="second_factor", d="email")
        assert known.look().value == 2

    def test_nobody_pinned_needs_nobody(self, source: PinnedUsers, fresh_db: str) -> None:
        self.pin(fresh_db, c="")
        assert (source.look().value, source.look().doubts) == (0, ())

    def test_no_table_and_no_database_are_no_zero(
        self, source: PinnedUsers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert grade(source.look()) is Grade.NO_DATA
        monkeypatch.setenv("PINNED_DSN", "postgresql://app@127.0.0.1:9/none")
        assert grade(source.look()) is Grade.ERROR
