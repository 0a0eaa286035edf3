"""Where each phase stands: imports them all, which most commands need not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phases import p0_preflight, p1_import, p2_dual_path, p3_drain, p4_remove

if TYPE_CHECKING:
    from types import ModuleType

    from migrator.runner.context import Context
    from migrator.runner.standing import Standing

PHASES: tuple[ModuleType, ...] = (
    p0_preflight,
    p1_import,
    p2_dual_path,
    p3_drain,
    p4_remove,
)


def standings_of(ctx: Context) -> dict[str, Standing]:
    """Give where each phase stands, from the state alone."""
    return {phase.NAME: phase.standing(ctx) for phase in PHASES}
