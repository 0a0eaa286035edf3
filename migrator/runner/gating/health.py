"""Remembers what the shims counted from look to look, and judges it beside the weeks before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.dashboards.health_view import HealthRow
from migrator.gates.grade import grade
from migrator.gates.spec import spec_of, spec_of_regress
from migrator.metrics.base import Base, base_from_json
from migrator.metrics.health import HEALTH_MEASURES
from migrator.metrics.health_counts import UNTOLD, increments, marks_of, within
from migrator.metrics.instances import coverage_doubts
from migrator.metrics.interface import FleetLook, HealthLook, ShimsLook
from migrator.metrics.measures import Terms
from migrator.metrics.registry import ALL_MEASURES
from migrator.runner.stages import current
from migrator.state.health_history import StoredCounts

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.config.gate import Measurement
    from migrator.config.model import Config
    from migrator.gates.spec import GateSpec
    from migrator.metrics.interface import Window
    from migrator.metrics.look import Look
    from migrator.runner.context import Context

# After a longer silence nobody can say when what came meanwhile came.
SILENCE = timedelta(minutes=15)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
WEEKS = 8


def health_of(ctx: Context, found: Look) -> HealthLook:
    """Keep what a look found, and give what health is judged by.

    Two watches at the same time count nothing twice: of the same stretch only one is kept. What was
    counted before the stage was moved last says nothing of where it stands now.

    Args:
        ctx: The surroundings.
        found: A look at `shims` and `fleet`.
    """
    shims, fleet = found.shims or ShimsLook(), found.fleet or FleetLook()
    if shims.processes:
        _keep(ctx, shims, fleet, found.at)
    ends = [found.at - week * WEEK for week in range(WEEKS + 1)]
    since = _standing_for(ctx, found.at)
    recent, hour, day = (min(one, since) for one in (ctx.config.drain.health_window, HOUR, DAY))
    return HealthLook(
        recent=_window(ctx, found.at, recent),
        hours=tuple(_window(ctx, end, hour) for end in ends),
        days=tuple(_window(ctx, end, day) for end in ends),
    )


def health_rows(ctx: Context, found: Look) -> tuple[HealthRow, ...]:
    """Give every measure of health with its bound and what follows from it."""
    return tuple(health_row(ctx, found, name) for name in HEALTH_MEASURES)


def health_row(ctx: Context, found: Look, name: Measurement) -> HealthRow:
    """Give one measure; its bound is a regress's, else that of a gate."""
    stage = ctx.config.stage
    terms = Terms(stage.expected_instances, stage.heartbeat_within, control=False, base=None)
    reading = ALL_MEASURES[name].read(found, terms)
    spec = _spec_of(ctx.config, name)
    why = "; ".join(doubt.reason for doubt in reading.doubts)
    return HealthRow(
        name,
        None if why else reading.value,
        why,
        reading.evidence,
        bound=spec.bound_in_words if spec else "",
        verdict=str(grade(spec, reading, was_ok=False)[0]) if spec else "",
    )


def _spec_of(config: Config, name: Measurement) -> GateSpec | None:
    specs = [
        *(spec_of_regress(config, one) for one in config.regress if one.measure == name),
        *(spec_of(config, one) for one in config.gates if one.measure == name),
    ]
    return specs[0] if specs else None


def _standing_for(ctx: Context, at: datetime) -> timedelta:
    """Give for how long the stage has stood where it is."""
    document = current(ctx)
    return timedelta.max if document is None else at - parse_iso(document.issued_at)


def _keep(ctx: Context, shims: ShimsLook, fleet: FleetLook, at: datetime) -> None:
    history = ctx.state.health_history
    marks = marks_of(shims.processes, at=at)
    before = history.newest()
    if before is None or before.base is None:
        number = 1 if before is None else before.number + 1
        history.add(StoredCounts(number, at, at, {}, 0.0, Base(at, marks).to_json()))
        return
    if at <= before.ended:
        return
    base = base_from_json(before.base)
    counts, known = increments(marks, base)
    seen = known and not shims.all_doubts and not _missing(ctx, shims, fleet)
    length = at - before.ended
    # Sign-ins that nobody counted must not look like none.
    if not all(process.tells_logins for process in shims.processes):
        counts[UNTOLD] = length.total_seconds()
    covered_s = length.total_seconds() if seen and length <= SILENCE else 0.0
    moved = base.moved(marks, at=at).to_json()
    history.add(StoredCounts(before.number + 1, before.ended, at, counts, covered_s, moved))


def _missing(ctx: Context, shims: ShimsLook, fleet: FleetLook) -> bool:
    stage = ctx.config.stage
    return bool(
        coverage_doubts(
            fleet,
            scraped=[process.instance for process in shims.processes],
            expected=stage.expected_instances,
            within=stage.heartbeat_within,
        )
    )


def _window(ctx: Context, ends: datetime, length: timedelta) -> Window:
    begins = ends - length
    return within(ctx.state.health_history.between(begins, ends), begins, ends)
