"""Says of a gate in words what it measures, what is missing, since when, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.clock import iso
from migrator.core.durations import format_duration
from migrator.gates.spec import REMOVE
from migrator.gates.verdict import GateState
from migrator.gates.words import WORDS
from migrator.metrics.interface import Grade

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.gates.verdict import Verdict

_BY_CLASS = {
    Grade.NO_DATA: "it goes on with the next look; a first look only sets where counting begins",
    Grade.STALE: "have the named answer made anew; a cache or proxy may stand before it",
    Grade.AMBIGUOUS: "look at the named instance or rows: there has to be exactly one value",
    Grade.ERROR: "mend the named source (network, token, database); it resumes by itself",
    Grade.UNPROVEN: "bring the named instance, or its marker, back; it resumes by itself",
}


def explain(verdict: Verdict, *, now: datetime, refusal: str) -> list[tuple[str, str]]:
    """Give lines of a heading and a text.

    Args:
        verdict: By the samples that are there.
        now: For how long something has lasted.
        refusal: Why it cannot be overridden; empty when it can.
    """
    gate = verdict.gate
    said = [
        ("gate", f"{gate.name}, before {gate.before}: {verdict.label}"),
        ("measures", WORDS[gate.measure].counts),
        ("asks for", _asks_for(verdict)),
        ("why", verdict.reason),
        ("measured", _measured(verdict)),
        ("since", _ago(verdict.since, now)),
        ("last OK", _ago(verdict.last_ok, now) or "never in these samples"),
        ("missing", verdict.missing),
        ("good until", _time(verdict.good_until)),
        ("do", _do(verdict)),
        ("next look", _time(verdict.next_look)),
        ("override", _override(verdict, refusal)),
    ]
    return [(heading, text) for heading, text in said if text]


def _asks_for(verdict: Verdict) -> str:
    gate = verdict.gate
    span = f" over {format_duration(gate.span)}" if gate.span else ""
    every = f", a look every {format_duration(gate.interval)}" if gate.consecutive > 1 else ""
    return f"{gate.bound_in_words}, {gate.consecutive} in a row{span}{every}"


def _measured(verdict: Verdict) -> str:
    if verdict.measured_at is None:
        return "never"
    value = "nothing" if verdict.value is None else f"{verdict.value:g}"
    return f"{value} at {iso(verdict.measured_at)}, which is {verdict.grade}"


def _do(verdict: Verdict) -> str:
    gate, look = verdict.gate, f"migrator gate check {verdict.gate.name} --wait"
    if verdict.state.lets_through:
        follows = "remove apply" if gate.before == REMOVE else f"dual-path stage set {gate.before}"
        return f"migrator {follows}"
    if verdict.state is GateState.FAILED:
        return WORDS[gate.measure].mend
    if verdict.state is GateState.HELD and verdict.grade in _BY_CLASS:
        return _BY_CLASS[verdict.grade]
    if verdict.state is GateState.ACCUMULATING:
        return f"keep looking: migrator drain watch, or {look}"
    return look


def _override(verdict: Verdict, refusal: str) -> str:
    if verdict.state.lets_through:
        return ""
    return refusal or f"migrator gate override {verdict.gate.name} --reason TEXT"


def _time(at: datetime | None) -> str:
    return "" if at is None else iso(at)


def _ago(at: datetime | None, now: datetime) -> str:
    return "" if at is None else f"{iso(at)} ({format_duration(now - at)} ago)"
