"""Whatever looks see and whenever processes end: a pass never covers a legacy request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from migrator.gates.evaluate import Sample, evaluate
from migrator.gates.grade import grade
from migrator.gates.verdict import GateState
from migrator.metrics.base import Base, base_from_json
from migrator.metrics.interface import (
    FleetLook,
    Grade,
    Heartbeat,
    Labels,
    Process,
    Reading,
    ShimLook,
    ShimsLook,
)
from migrator.metrics.look import Look
from migrator.metrics.measures import MEASURES, Terms
from tests.gates.specs import AT, sample, spec

if TYPE_CHECKING:
    from migrator.gates.spec import GateSpec

LEGACY = Labels("legacy", "accepted", "drain", "", synthetic=False)
MARKER = Labels("legacy", "accepted", "drain", "", synthetic=True)
SECOND = timedelta(seconds=1)
SPAN = 120 * SECOND
WITHIN = 5 * SECOND
QUIET = spec(consecutive=2, span=SPAN, interval=10 * SECOND)


@dataclass
class Running:
    """A process, which counts in memory and is forgotten when it ends."""

    started_at: timedelta
    legacy: int = 0


@dataclass
class World:
    """Instances that come, go and count, and a gate that looks at them now and then."""

    now: timedelta = 10 * SECOND
    running: dict[str, Running] = field(default_factory=dict)
    heard: dict[str, timedelta] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    requests: list[timedelta] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    base: Base | None = None

    def start(self, name: str) -> None:
        """Start an instance, or start it anew."""
        self.running[name] = Running(self.now)

    def end(self, name: str) -> None:
        """Let it end."""
        self.running.pop(name, None)

    def request(self, name: str) -> None:
        """Let somebody come on the legacy path."""
        if name in self.running:
            self.running[name].legacy += 1
            self.requests.append(self.now)

    def turn(self, name: str) -> None:
        """Let an instance be read no more, or again."""
        self.deaf ^= {name}

    def look(self) -> GateState:
        """Take a sample and judge."""
        processes = [
            Process(
                name,
                "1",
                "drain",
                7,
                "live",
                (AT + one.started_at).timestamp(),
                {MARKER: 1, LEGACY: one.legacy},
            )
            for name, one in self.running.items()
            if name not in self.deaf
        ]
        shims = tuple(ShimLook(p.instance, p, control_counted=True) for p in processes)
        beats = tuple(
            Heartbeat(name, "1", "drain", 7, legacy_capable=True, age=self.now - at)
            for name, at in self.heard.items()
        )
        found = Look(AT + self.now, shims=ShimsLook(shims), fleet=FleetLook(beats))
        terms = Terms(1, WITHIN, control=True, base=self.base)
        reading = MEASURES["legacy_requests"].read(found, terms)
        self.base = base_from_json(reading.evidence["base"])
        result, reason = grade(QUIET, reading, was_ok=False)
        lost = bool(reading.lost)
        self.samples.append(Sample(found.at, result, reading.value, reason, QUIET.hash, lost=lost))
        return evaluate(QUIET, self.samples, now=found.at).state

    def later(self, seconds: float) -> None:
        """Let time go by; who runs reports each second."""
        self.now += seconds * SECOND
        self.heard |= dict.fromkeys(self.running, self.now)


TICKS = 32
DISTURBANCE = st.tuples(
    st.integers(0, TICKS - 1),
    st.sampled_from(("web-1", "web-2", "web-3")),
    st.lists(st.sampled_from(("request", "start", "end", "turn")), min_size=1, max_size=3),
)


@settings(deadline=None, max_examples=300)
@example([(2, "web-3", ["start", "request", "start"])], set())
@example([(2, "web-3", ["turn", "start", "request", "start"]), (3, "web-3", ["turn"])], set())
@given(st.lists(DISTURBANCE, max_size=4), st.sets(st.integers(0, TICKS - 1), max_size=3))
def test_no_schedule_of_looks_and_restarts_passes_over_a_legacy_request(
    disturbances: list[tuple[int, str, list[str]]], skipped: set[int]
) -> None:
    world = World()
    for name in ("web-1", "web-2"):
        world.start(name)
    for tick in range(TICKS):
        for at, name, actions in disturbances:
            if at == tick:
                for action in actions:
                    world.later(0.5)
                    getattr(world, action)(name)
        world.later((tick + 2) * 10 - world.now.total_seconds())
        if tick not in skipped and world.look() is GateState.PASSED:
            assert not [at for at in world.requests if at > world.now - SPAN], world


def test_a_quiet_fleet_passes_and_passes_again_one_span_after_a_restart() -> None:
    world = World()
    world.start("web-1")
    states = []
    for number in range(30):
        if number == 15:
            world.start("web-1")
        world.later(10)
        states.append(world.look())
    assert states.index(GateState.PASSED) == 13
    assert (states[15], states[-1]) == (GateState.HELD, GateState.PASSED)
    assert states[15:].index(GateState.PASSED) == 13


def test_a_loss_ends_a_run_only_where_a_single_event_would() -> None:
    lost = sample(11, Grade.UNPROVEN)
    good = [sample(minute) for minute in range(11)]
    torn = Sample(lost.at, lost.grade, 0, lost.reason, lost.spec_hash, lost=True)
    after = [sample(12 + minute) for minute in range(3)]
    assert evaluate(spec(), [*good, lost, *after], now=after[-1].at).state is GateState.PASSED
    verdict = evaluate(spec(), [*good, torn, *after], now=after[-1].at)
    assert (verdict.state, verdict.ok_in_a_row) == (GateState.ACCUMULATING, 3)
    assert spec().bears_no_loss
    assert not spec(leave_above=2).bears_no_loss
    assert not spec(at_most=None, at_least=1).bears_no_loss


def graded(of: GateSpec, value: float) -> tuple[Grade, str]:
    return grade(of, Reading(value, lost=("web-1 began anew",)), was_ok=False)


def test_what_was_lost_doubts_a_zero_and_no_breach_and_no_floor_that_is_reached() -> None:
    floor = spec(at_most=None, at_least=5)
    assert graded(spec(), 0) == (Grade.UNPROVEN, "web-1 began anew")
    assert graded(spec(), 1)[0] is Grade.BREACH
    assert graded(spec(before="regress"), 1)[0] is Grade.BREACH
    assert graded(floor, 5)[0] is Grade.OK
    assert graded(floor, 4)[0] is Grade.UNPROVEN
    assert graded(spec(at_most=9, at_least=5), 5)[0] is Grade.UNPROVEN
