"""Puts one look at all sources together for the drain's view."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.dashboards.drain_picture import (
    CounterRow,
    DrainPicture,
    ForecastRow,
    GateRow,
    SessionRow,
)
from migrator.gates.verdict import decide
from migrator.metrics.base import Base, Mark, base_from_json, increment
from migrator.metrics.bound import honest_bound, refused_from
from migrator.metrics.instances import alive, coverage_doubts
from migrator.metrics.interface import Doubt, FleetLook, SessionsLook, ShimsLook
from migrator.runner.gating.forecasting import curve_of, forecasts_of, issued_until
from migrator.runner.gating.health import health_rows
from migrator.runner.gating.instance_rows import instance_rows
from migrator.runner.gating.keeping import SUBJECT, keep, recall
from migrator.runner.gating.populations import populations_of, session_row
from migrator.runner.stages import current, position

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrator.core.stage import StageDocument
    from migrator.gates.verdict import Verdict
    from migrator.metrics.bound import Bound
    from migrator.metrics.look import Look
    from migrator.metrics.measures import SourceName
    from migrator.runner.context import Context

PICTURE_SOURCES: frozenset[SourceName] = frozenset(
    {"shims", "sessions", "remembered", "fleet", "health"}
)
KEY = "looked by client"
NEVER_LOOKED = "nobody has looked yet: migrator drain watch"
_SEPARATOR = "\t"


class Recalled(NamedTuple):
    """A picture out of the state.

    Attributes:
        looked_at: When somebody measured; None when nobody ever did.
    """

    picture: DrainPicture
    looked_at: datetime | None


def picture_of(
    ctx: Context, found: Look, *, step: str, verdicts: Sequence[Verdict]
) -> DrainPicture:
    """Put a look and the verdicts together; all of it is remembered, for the next picture and for who reads only.

    Args:
        ctx: The surroundings.
        found: A look at `PICTURE_SOURCES` at least.
        step: The step that the gates guard.
        verdicts: The gates' verdicts.
    """
    shims, fleet = found.shims or ShimsLook(), found.fleet or FleetLook()
    document = current(ctx)
    bound = _bound(ctx, document)
    forecasts = forecasts_of(ctx, found.sessions, at=found.at, document=document, bound=bound)
    rows, before = _counters(ctx, found, shims)
    made = DrainPicture(
        migration=ctx.config.migration.name,
        at=found.at,
        forecasts=forecasts,
        sessions=session_row(found.sessions or SessionsLook()),
        counters=rows,
        looked_before=before,
        addresses=len(shims.shims),
        scraped=len(shims.processes),
        controlled=sum(shim.control_counted for shim in shims.shims),
        alive=len(alive(fleet, within=ctx.config.stage.heartbeat_within)),
        expected=_expected(ctx),
        doubts=_doubts(ctx, shims, fleet),
        populations=populations_of(found),
        health=health_rows(ctx, found),
        instances=instance_rows(
            fleet,
            at=found.at,
            expected=ctx.config.stage.expected_instances,
            within=ctx.config.stage.heartbeat_within,
            epoch=document.epoch if document else 0,
        ),
        **_present(ctx, document, step, verdicts),
    )
    keep(ctx, made)
    return made


def recalled_picture(ctx: Context, *, step: str, verdicts: Sequence[Verdict]) -> Recalled:
    """Put what the last look left together with the present verdicts; measures and writes nothing.

    A forecast that was made under another stage document says nothing any more, and nobody was seen to follow this one.

    Args:
        ctx: The surroundings.
        step: The step that the gates guard.
        verdicts: The gates' verdicts.
    """
    kept, document = recall(ctx), current(ctx)
    present = _present(ctx, document, step, verdicts)
    if kept is None:
        return Recalled(replace(unseen(ctx), **present), looked_at=None)
    if kept.epoch != present["epoch"]:
        moved = "the stage was moved after the last look"
        present["forecasts"] = tuple(
            replace(f, p50=None, p90=None, why=moved) for f in kept.forecasts
        )
        present["instances"] = tuple(
            replace(row, state="behind") if row.state == "follows" else row
            for row in kept.instances
        )
    return Recalled(replace(kept, **present), looked_at=kept.at)


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


def _present(
    ctx: Context, document: StageDocument | None, step: str, verdicts: Sequence[Verdict]
) -> dict[str, Any]:
    """Give what follows from the state alone."""
    bound = _bound(ctx, document)
    began = issued_until(ctx, document)
    return {
        "stage": _stage(document),
        "epoch": document.epoch if document else 0,
        "deadline": refused_from(document),
        "bound": bound.at,
        "bound_why": bound.why,
        "began": began,
        "curve": curve_of(ctx, began) if began else (),
        "step": step,
        "gates": tuple(gate_row(verdict) for verdict in verdicts),
        "next_command": _next_command(step, verdicts),
    }


def unseen(ctx: Context) -> DrainPicture:
    """Give the picture of a drain that nobody has looked at: nothing in it is known."""
    never = (NEVER_LOOKED,)
    return DrainPicture(
        migration=ctx.config.migration.name,
        at=ctx.clock.now(),
        forecasts=(ForecastRow(0, None, None, NEVER_LOOKED, None, 0),),
        sessions=SessionRow(0, 0, 0, 0, never),
        counters=(),
        looked_before=None,
        addresses=len(ctx.config.drain.shims),
        scraped=0,
        controlled=0,
        alive=0,
        expected=_expected(ctx),
        doubts=never,
        **_present(ctx, None, "", ()),
    )


def _bound(ctx: Context, document: StageDocument | None) -> Bound:
    legacy = ctx.config.legacy
    return honest_bound(document, session_ttl=legacy.session_ttl, remember_for=legacy.remember_for)


def _stage(document: StageDocument | None) -> str:
    return "not set" if document is None else str(position(document))


def _expected(ctx: Context) -> str:
    expected = ctx.config.stage.expected_instances
    return f"at least {expected}" if isinstance(expected, int) else ", ".join(expected)


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
    """Count by instance, path, outcome and kind of client, and remember it for the next look."""
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
            key = _SEPARATOR.join((process.instance, labels.path, labels.outcome, labels.client))
            so_far = totals[key].total if key in totals else 0
            totals[key] = Mark(process.started_at_s, so_far + value, found.at)
    return totals


def _row(key: str, mark: Mark, base: Base | None) -> CounterRow:
    instance, path, outcome, client = key.split(_SEPARATOR)
    known = key if base and key in base.marks else instance
    fresh = increment(known, mark, base) if base else None
    since_last = None if fresh is None or isinstance(fresh, Doubt) else int(fresh)
    return CounterRow(instance, path, outcome, int(mark.total), since_last, client)


def _next_command(step: str, verdicts: Sequence[Verdict]) -> str:
    if not decide([verdict.state for verdict in verdicts]).lets_through:
        return f"migrator gate check --before {step} --wait"
    if step == "remove":
        return "migrator remove plan"
    return f"migrator dual-path stage set {step}"
