"""Puts one look at all sources together for the drain's view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.dashboards.drain_picture import CounterRow, DrainPicture, GateRow, SessionRow
from migrator.gates.verdict import decide
from migrator.metrics.base import Base, Mark, base_from_json, increment
from migrator.metrics.bound import honest_bound, refused_from
from migrator.metrics.instances import alive, coverage_doubts
from migrator.metrics.interface import Doubt, FleetLook, SessionsLook, ShimsLook
from migrator.runner.gating.forecasting import forecasts_of
from migrator.runner.stages import current

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrator.core.stage import StageDocument
    from migrator.gates.verdict import Verdict
    from migrator.metrics.interface import Look
    from migrator.metrics.measures import SourceName
    from migrator.runner.context import Context

PICTURE_SOURCES: frozenset[SourceName] = frozenset({"shims", "fleet", "sessions"})
SUBJECT, KEY = "drain", "looked"
_SEPARATOR = "\t"


def picture_of(
    ctx: Context, found: Look, *, step: str, verdicts: Sequence[Verdict]
) -> DrainPicture:
    """Put a look and the verdicts together; the counters and the forecast are remembered for the next picture.

    Args:
        ctx: The surroundings.
        found: A look at `PICTURE_SOURCES` at least.
        step: The step that the gates guard.
        verdicts: The gates' verdicts.
    """
    shims, fleet = found.shims or ShimsLook(), found.fleet or FleetLook()
    document, legacy = current(ctx), ctx.config.legacy
    bound = honest_bound(
        document, session_ttl=legacy.session_ttl, remember_for=legacy.remember_for
    )
    forecasts = forecasts_of(ctx, found.sessions, at=found.at, document=document, bound=bound)
    rows, before = _counters(ctx, found, shims)
    return DrainPicture(
        migration=ctx.config.migration.name,
        at=found.at,
        stage=_stage(document),
        epoch=document.epoch if document else 0,
        deadline=refused_from(document),
        bound=bound.at,
        bound_why=bound.why,
        forecasts=forecasts,
        sessions=_sessions(found.sessions or SessionsLook()),
        counters=rows,
        looked_before=before,
        addresses=len(ctx.config.drain.shims),
        scraped=len(shims.processes),
        controlled=sum(shim.control_counted for shim in shims.shims),
        alive=len(alive(fleet, within=ctx.config.stage.heartbeat_within)),
        expected=_expected(ctx),
        doubts=_doubts(ctx, shims, fleet),
        step=step,
        gates=tuple(gate_row(verdict) for verdict in verdicts),
        next_command=_next_command(step, verdicts),
    )


def gate_row(verdict: Verdict) -> GateRow:
    """Give a verdict as the views show it."""
    return GateRow(
        gate=verdict.gate.name,
        before=verdict.gate.before,
        state=str(verdict.state),
        label=verdict.label,
        reason=verdict.reason,
        value=verdict.value,
        measured_at=verdict.measured_at,
        good_until=verdict.good_until,
        next_look=verdict.next_look,
        since=verdict.since,
    )


def _stage(document: StageDocument | None) -> str:
    if document is None:
        return "not set"
    share = f" {document.percent:g} %" if document.percent else ""
    return f"{document.stage}{share}"


def _expected(ctx: Context) -> str:
    expected = ctx.config.stage.expected_instances
    return f"at least {expected}" if isinstance(expected, int) else ", ".join(expected)


def _sessions(found: SessionsLook) -> SessionRow:
    reasons = tuple(doubt.reason for doubt in found.doubts)
    return SessionRow(found.holding, found.others, found.anonymous, found.undecodable, reasons)


def _doubts(ctx: Context, shims: ShimsLook, fleet: FleetLook) -> tuple[str, ...]:
    found = [*shims.all_doubts]
    found += coverage_doubts(
        fleet,
        scraped=[process.instance for process in shims.processes],
        expected=ctx.config.stage.expected_instances,
        within=ctx.config.stage.heartbeat_within,
    )
    said = [doubt.reason for doubt in found]
    said += [
        f"{shim.process.instance} did not count the marker ({shim.control_note})"
        for shim in shims.shims
        if shim.process is not None and not shim.control_counted
    ]
    return tuple(dict.fromkeys(said))


def _counters(
    ctx: Context, found: Look, shims: ShimsLook
) -> tuple[tuple[CounterRow, ...], datetime | None]:
    """Count by instance, path and outcome, and remember it for the next look."""
    marks = _marks(found, shims)
    stored = ctx.state.checkpoints.get(SUBJECT, KEY)
    base = base_from_json(stored) if stored else None
    moved = base.moved(marks, at=found.at) if base else Base(found.at, marks)
    ctx.state.checkpoints.put(SUBJECT, KEY, moved.to_json())
    rows = tuple(_row(key, mark, base) for key, mark in sorted(marks.items()) if _SEPARATOR in key)
    return rows, base.at if base else None


def _marks(found: Look, shims: ShimsLook) -> dict[str, Mark]:
    totals: dict[str, Mark] = {}
    for process in shims.processes:
        # A mark of the process itself tells a new series from a new process.
        totals[process.instance] = Mark(process.started_at_s, 0, found.at)
        for labels, value in process.requests.items():
            if labels.synthetic:
                continue
            key = _SEPARATOR.join((process.instance, labels.path, labels.outcome))
            so_far = totals[key].total if key in totals else 0
            totals[key] = Mark(process.started_at_s, so_far + value, found.at)
    return totals


def _row(key: str, mark: Mark, base: Base | None) -> CounterRow:
    instance, path, outcome = key.split(_SEPARATOR)
    known = key if base and key in base.marks else instance
    fresh = increment(known, mark, base) if base else None
    since_last = None if fresh is None or isinstance(fresh, Doubt) else int(fresh)
    return CounterRow(instance, path, outcome, int(mark.total), since_last)


def _next_command(step: str, verdicts: Sequence[Verdict]) -> str:
    if not decide([verdict.state for verdict in verdicts]).lets_through:
        return f"migrator gate check --before {step} --wait"
    if step == "remove":
        return "migrator remove plan"
    return f"migrator dual-path stage set {step}"
