"""One look at health, with what is watched behind the last step."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from migrator.core.durations import format_duration
from migrator.dashboards.health_view import HealthPicture, HealthRow, RegressRow
from migrator.gates.spec import spec_of_regress
from migrator.metrics.health_counts import IDENTITY_CONFLICTS
from migrator.metrics.interface import Grade
from migrator.runner import stages
from migrator.runner.gating.health import health_row, health_rows
from migrator.runner.gating.looking import look
from migrator.runner.gating.sampling import graded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.config.regress import RegressSection
    from migrator.metrics.look import Look
    from migrator.runner.context import Context


def look_at_health(ctx: Context) -> HealthPicture:
    """Look once; what was counted since the look before is kept, no gate gets a sample.

    Raises:
        UsageError: A secret that a source needs is missing.
    """
    found = look(ctx, {"shims", "fleet", "health", "capacity_check"})
    return HealthPicture(
        migration=ctx.config.migration.name,
        at=found.at,
        stage=str(stages.position(stages.current(ctx))),
        window=format_duration(ctx.config.drain.health_window),
        rows=tuple(_rows(ctx, found)),
        regresses=tuple(_regress_row(ctx, section) for section in ctx.config.regress),
    )


def _rows(ctx: Context, found: Look) -> Iterator[HealthRow]:
    yield from health_rows(ctx, found)
    yield health_row(ctx, found, "sign_in_load")
    if found.health is not None:
        conflicts = found.health.recent.counts.get(IDENTITY_CONFLICTS, 0)
        yield HealthRow("identity_conflicts", conflicts, "", {})


def _regress_row(ctx: Context, section: RegressSection) -> RegressRow:
    spec = spec_of_regress(ctx.config, section)
    newest_first = reversed([s for s in graded(ctx, spec) if s.spec_hash == spec.hash])
    broken = sum(1 for _ in takewhile(lambda s: s.grade is Grade.BREACH, newest_first))
    return RegressRow(
        section.name,
        section.measure,
        spec.bound_in_words,
        broken,
        section.consecutive,
        section.roll_back,
    )
