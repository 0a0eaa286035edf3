"""Whatever looks see and whenever processes end: a pass never covers a legacy request."""

from __future__ import annotations

import json
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
    WrittenProcess,
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
# The database's clock is not ours.
SKEW = timedelta(minutes=-7)
QUIET = spec(consecutive=2, span=SPAN, interval=10 * SECOND)


@dataclass
class Running:
    """A process, which counts in memory and is forgotten when it ends.

    Attributes:
        writes: Whether it writes itself down; a shim of before does not.
    """

    name: str
    started_at: timedelta
    writes: bool
    heard_at: timedelta | None
    seen_at: timedelta
    legacy: int = 0
    ended_at: timedelta | None = None

    def process(self) -> Process:
        """Give its counters."""
        started_s = (AT + self.started_at).timestamp()
        requests = {MARKER: 1, LEGACY: self.legacy}
        return Process(self.name, "1", "drain", 7, "live", started_s, requests)

    def row(self) -> WrittenProcess:
        """Give what it wrote down."""
        heard_at = None if self.heard_at is None else AT + self.heard_at + SKEW
        began_at, seen_at = AT + self.started_at + SKEW, AT + self.seen_at + SKEW
        started_s = (AT + self.started_at).timestamp()
        if self.ended_at is None:
            return WrittenProcess(self.name, started_s, began_at, seen_at, heard_at)
        ended_at, final = AT + self.ended_at + SKEW, self.process()
        return WrittenProcess(self.name, started_s, began_at, seen_at, heard_at, ended_at, final)


@dataclass
class World:
    """Instances that come, go and count, and a gate that looks at them now and then.

    Attributes:
        has_rows: Whether there is a table to write down processes in.
        hidden: Whether nobody may read it.
        leaving: What was told to stop and still serves, while another one of its name may have begun.
    """

    has_rows: bool = False
    hidden: bool = False
    now: timedelta = 10 * SECOND
    running: dict[str, Running] = field(default_factory=dict)
    leaving: list[Running] = field(default_factory=list)
    rows: list[Running] = field(default_factory=list)
    heard: dict[str, timedelta] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    requests: list[timedelta] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    base: Base | None = None

    def start(self, name: str, *, writes: bool = True) -> None:
        """Start an instance, or start it anew: what ran before is killed."""
        self.running[name] = Running(name, self.now, writes, self.heard.get(name), self.now)
        if self.has_rows and writes:
            self.rows.append(self.running[name])

    def start_old(self, name: str) -> None:
        """Start a build whose shim writes nothing down."""
        self.start(name, writes=False)

    def end(self, name: str) -> None:
        """Kill it."""
        self.running.pop(name, None)

    def stop(self, name: str) -> None:
        """Let it end by itself."""
        stopped = self.running.pop(name, None)
        if stopped is not None:
            stopped.ended_at = self.now

    def leave(self, name: str) -> None:
        """Tell it to stop; it serves on for a while."""
        if name in self.running:
            self.leaving.append(self.running.pop(name))

    def left(self, name: str) -> None:
        """Let those end that were told to."""
        for one in self.leaving:
            if one.name == name:
                one.ended_at = self.now
        self.leaving = [one for one in self.leaving if one.name != name]

    def request(self, name: str) -> None:
        """Let somebody come on the legacy path."""
        if name in self.running:
            self.running[name].legacy += 1
            self.requests.append(self.now)

    def last_request(self, name: str) -> None:
        """Let somebody be answered by one that was told to stop."""
        for one in self.leaving:
            if one.name == name:
                one.legacy += 1
                self.requests.append(self.now)

    def turn(self, name: str) -> None:
        """Let an instance be read no more, or again."""
        self.deaf ^= {name}

    def hide(self, _: str) -> None:
        """Let the table be closed to whoever looks, or open again."""
        self.hidden ^= True

    def restart(self, name: str) -> None:
        """Stop it, and start the next one."""
        self.stop(name)
        self.start(name)

    def overtake(self, name: str) -> None:
        """Start the next one while this one still serves."""
        self.leave(name)
        self.start(name)

    def measure(self) -> Reading:
        """Measure, from the look before."""
        processes = [one.process() for n, one in self.running.items() if n not in self.deaf]
        shims = tuple(ShimLook(p.instance, p, control_counted=True) for p in processes)
        beats = tuple(
            Heartbeat(
                name,
                "1",
                "drain",
                7,
                legacy_capable=True,
                age=self.now - at,
                seen_at=AT + at + SKEW,
            )
            for name, at in self.heard.items()
        )
        readable = self.has_rows and not self.hidden
        rows = tuple(one.row() for one in self.rows) if readable else None
        fleet = FleetLook(beats, processes=rows, at=AT + self.now + SKEW)
        found = Look(AT + self.now, shims=ShimsLook(shims), fleet=fleet)
        terms = Terms(1, WITHIN, control=True, base=self.base)
        reading = MEASURES["legacy_requests"].read(found, terms)
        self.base = base_from_json(json.loads(json.dumps(reading.evidence["base"])))
        return reading

    def look(self) -> GateState:
        """Take a sample and judge."""
        since = self.base.at if self.base is not None else AT + self.now
        reading = self.measure()
        if not reading.doubts and not reading.lost:
            assert (reading.value or 0) >= sum(AT + at > since for at in self.requests), self
        result, reason = grade(QUIET, reading, was_ok=False)
        lost = bool(reading.lost)
        at = AT + self.now
        self.samples.append(Sample(at, result, reading.value, reason, QUIET.hash, lost=lost))
        return evaluate(QUIET, self.samples, now=at).state

    def later(self, seconds: float) -> None:
        """Let time go by; who runs reports each second."""
        self.now += seconds * SECOND
        for one in (*self.running.values(), *self.leaving):
            one.seen_at = self.heard[one.name] = self.now


TICKS = 32
NAMES = ("web-1", "web-2", "web-3")
WITHOUT_ROWS = ("request", "start", "end", "turn")
WITH_ROWS = (*WITHOUT_ROWS, "stop", "start_old", "leave", "left", "last_request", "hide")


def disturbances(actions: tuple[str, ...]) -> st.SearchStrategy[list[tuple[int, str, list[str]]]]:
    one = st.tuples(
        st.integers(0, TICKS - 1),
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(actions), min_size=1, max_size=4),
    )
    return st.lists(one, max_size=5)


def live(world: World, happening: list[tuple[int, str, list[str]]], skipped: set[int]) -> None:
    """Let time pass, and compare each look, and each pass, with the truth."""
    for name in NAMES[:2]:
        world.start(name)
    for tick in range(TICKS):
        for at, name, actions in happening:
            if at == tick:
                for action in actions:
                    world.later(0.4)
                    getattr(world, action)(name)
        world.later((tick + 2) * 10 - world.now.total_seconds())
        if tick not in skipped and world.look() is GateState.PASSED:
            assert not [at for at in world.requests if at > world.now - SPAN], world


@settings(deadline=None, max_examples=300)
@example([(2, "web-3", ["start", "request", "start"])], set())
@example([(2, "web-3", ["turn", "start", "request", "start"]), (3, "web-3", ["turn"])], set())
@given(disturbances(WITHOUT_ROWS), st.sets(st.integers(0, TICKS - 1), max_size=3))
def test_no_schedule_of_looks_and_restarts_passes_over_a_legacy_request(
    happening: list[tuple[int, str, list[str]]], skipped: set[int]
) -> None:
    live(World(), happening, skipped)


GRACEFUL = ("request", "stop", "restart", "overtake", "last_request", "left")


@settings(deadline=None, max_examples=100)
@given(disturbances(GRACEFUL))
def test_processes_that_end_by_themselves_are_counted_to_the_last_request(
    happening: list[tuple[int, str, list[str]]],
) -> None:
    world = World(has_rows=True)
    for name in NAMES[:2]:
        world.start(name)
    world.later(5)
    world.measure()
    counted = 0.0
    for tick in range(TICKS):
        for name, actions in [(name, actions) for at, name, actions in happening if at == tick]:
            for action in actions:
                world.later(0.1)
                getattr(world, action)(name)
            # Whoever is told to stop has no longer than `WITHIN` for it.
            world.left(name)
        world.later(10)
        reading = world.measure()
        assert not reading.lost, reading
        counted += reading.value or 0
        assert counted == len(world.requests), reading


def test_a_fleet_that_is_deployed_again_and_again_passes_and_passes_on() -> None:
    world = World(has_rows=True)
    world.start("web-1")
    states = []
    for number in range(60):
        if number % 5 == 4:
            world.restart("web-1")
        world.later(10)
        states.append(world.look())
    assert states.index(GateState.PASSED) == 13
    assert set(states[13:]) == {GateState.PASSED}


def test_a_process_that_is_killed_between_two_looks_is_noticed_though_nobody_ever_read_it() -> (
    None
):
    world = World(has_rows=True)
    world.start("web-1")
    world.later(10)
    world.measure()
    for happens in (world.restart, world.request, world.end, world.start):
        world.later(0.5)
        happens("web-1")
    said = []
    for _ in range(3):
        world.later(3)
        reading = world.measure()
        said.append(([doubt.grade for doubt in reading.doubts], reading.lost))
    assert said == [
        ([Grade.UNPROVEN], ()),
        ([], ("web-1 is gone: what it counted last is lost",)),
        ([], ()),
    ]


@settings(deadline=None, max_examples=150)
@example([(2, "web-1", ["stop", "start_old", "request", "start"])], set())
@example([(2, "web-3", ["start", "request", "end"])], set())
@example([(2, "web-1", ["leave", "start", "last_request"]), (4, "web-1", ["left"])], set())
@given(disturbances(WITH_ROWS), st.sets(st.integers(0, TICKS - 1), max_size=3))
def test_nor_does_one_of_processes_that_write_themselves_down_whatever_ends_them(
    happening: list[tuple[int, str, list[str]]], skipped: set[int]
) -> None:
    live(World(has_rows=True), happening, skipped)


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
