"""Takes samples for gates, judges them, and writes verdicts to the ledger.

Each sample is one transaction: an interrupted watch loses at most the look it was taking.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso, parse_iso
from migrator.core.events import Event
from migrator.dashboards.overview import EvidenceRow
from migrator.gates.evaluate import Sample, evaluate
from migrator.gates.grade import grade
from migrator.gates.verdict import GateState
from migrator.metrics.base import base_from_json
from migrator.metrics.interface import Grade
from migrator.metrics.measures import Terms
from migrator.metrics.registry import ALL_MEASURES
from migrator.runner.gating.guard import measured_standing, standing_of
from migrator.runner.gating.overriding import DOUBTS
from migrator.runner.gating.overtaken import beginning
from migrator.runner.notifying.announcing import announce
from migrator.state.samples import StoredSample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.gates.spec import GateSpec
    from migrator.gates.verdict import Verdict
    from migrator.metrics.look import Look
    from migrator.metrics.measures import SourceName
    from migrator.runner.context import Context

SPEC, BASE, LOST = "spec", "base", "lost"
DUE_RATIO = 0.9


def sources_of(specs: Sequence[GateSpec]) -> frozenset[SourceName]:
    """Name the sources that a set of gates needs."""
    return frozenset(source for spec in specs for source in ALL_MEASURES[spec.measure].sources)


def sample(ctx: Context, specs: Sequence[GateSpec], found: Look) -> None:
    """Keep a sample of a look for each gate."""
    for spec in specs:
        ctx.state.samples.add(_sample_of(ctx, spec, found))


def due(ctx: Context, specs: Sequence[GateSpec]) -> tuple[GateSpec, ...]:
    """Give the gates whose next sample is due: a bit early is better than an interval late."""
    now = ctx.clock.now()
    return tuple(
        spec
        for spec in specs
        if not any(
            _is_of(spec, stored)
            for stored in ctx.state.samples.of(spec.name, since=now - spec.interval * DUE_RATIO)
        )
    )


def judge(ctx: Context, spec: GateSpec) -> Verdict:
    """Judge a gate by the samples that are there."""
    standing = measured_standing(ctx, spec)
    return evaluate(
        spec,
        graded(ctx, spec),
        now=ctx.clock.now(),
        pass_until=standing.good_until if standing.state is GateState.PASSED else None,
    )


def graded(ctx: Context, spec: GateSpec) -> list[Sample]:
    """Give the samples that can still matter."""
    return [_graded(stored) for stored in _stored(ctx, spec)]


def record(ctx: Context, verdict: Verdict) -> None:
    """Write a verdict with its evidence to the ledger: this is what guards a step."""
    before = standing_of(ctx, verdict.gate).state
    stored = _stored(ctx, verdict.gate)
    newest = dict(stored[-1].evidence) if stored else {}
    ctx.state.ledger.note(
        "gate",
        verdict.gate.name,
        state=str(verdict.state),
        reason=verdict.reason,
        good_until=None if verdict.good_until is None else iso(verdict.good_until),
        spec_hash=verdict.gate.hash,
        evidence_hash=_hash(stored),
        samples=len(stored),
        value=verdict.value,
        ok_in_a_row=verdict.ok_in_a_row,
        covered=round(verdict.covered, 4),
        evidence={key: value for key, value in newest.items() if key not in {SPEC, BASE}},
    )
    if before is not verdict.state:
        announce(ctx, _news(verdict, before))


def evidence_row(ctx: Context, verdict: Verdict) -> EvidenceRow:
    """Give the hashes that tie a verdict to its gate and its samples."""
    stored, gate = _stored(ctx, verdict.gate), verdict.gate
    return EvidenceRow(gate.name, str(verdict.state), gate.hash, _hash(stored), len(stored))


def record_change(ctx: Context, verdict: Verdict) -> None:
    """Write a verdict unless the ledger says the same of the gate already."""
    if measured_standing(ctx, verdict.gate).state is not verdict.state:
        record(ctx, verdict)


def _news(verdict: Verdict, before: GateState) -> Event:
    gate = verdict.gate
    return Event(
        "gate",
        f"gate {gate.name} before {gate.before}: {before} -> {verdict.label}",
        (verdict.reason, f"migrator gate explain {gate.name}"),
        {"gate": gate.name, "step": gate.before, "from": str(before), "to": str(verdict.state)},
    )


def _sample_of(ctx: Context, spec: GateSpec, found: Look) -> StoredSample:
    before = next((s for s in reversed(_stored(ctx, spec)) if _is_of(spec, s)), None)
    base = before.evidence.get(BASE) if before is not None else None
    terms = Terms(
        expected=ctx.config.stage.expected_instances,
        within=ctx.config.stage.heartbeat_within,
        control=spec.control,
        base=base_from_json(base) if base else None,
    )
    reading = ALL_MEASURES[spec.measure].read(found, terms)
    was_ok = (
        before is not None
        and before.grade == Grade.OK
        and found.at - before.at <= spec.longest_gap
    )
    result, reason = grade(spec, reading, was_ok=was_ok)
    evidence = {**reading.evidence, SPEC: spec.hash}
    said = [doubt.reason for doubt in reading.doubts]
    if reading.lost and spec.bears_no_loss:
        evidence[LOST] = list(reading.lost)
        said += reading.lost
    if said:
        evidence[DOUBTS] = list(dict.fromkeys(said))
    return StoredSample(spec.name, found.at, str(result), reading.value, reason, evidence)


def _stored(ctx: Context, spec: GateSpec) -> list[StoredSample]:
    """Give the samples that can still matter: after a rollback, those since then."""
    since = ctx.clock.now() - spec.span - spec.good_for - 2 * spec.longest_gap
    rollback = beginning(ctx, spec)
    if rollback is not None:
        since = max(since, parse_iso(rollback.at))
    return ctx.state.samples.of(spec.name, since=since)


def _is_of(spec: GateSpec, stored: StoredSample) -> bool:
    return stored.evidence.get(SPEC) == spec.hash


def _graded(stored: StoredSample) -> Sample:
    return Sample(
        stored.at,
        Grade(stored.grade),
        stored.value,
        stored.reason,
        str(stored.evidence.get(SPEC, "")),
        lost=LOST in stored.evidence,
    )


def _hash(stored: Sequence[StoredSample]) -> str:
    content: list[Any] = [[iso(s.at), s.grade, s.value, s.reason, s.evidence] for s in stored]
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
