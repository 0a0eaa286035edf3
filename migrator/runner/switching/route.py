"""The way that is still ahead: each step up to `auther`, what guards it, what Auther has to bear."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.core.stage import Stage
from migrator.runner import stages
from migrator.runner.gating.guard import standings
from migrator.runner.stages import ALL_BROWSERS, Position, share_at_auther
from migrator.runner.standing_up.capacity import last_measured
from migrator.runner.switching.moves import make_move, obstacles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.runner.context import Context
    from migrator.runner.gating.guard import GateStanding
    from migrator.runner.standing_up.capacity import Measured

SHARES = (1.0, 5.0, 10.0, 25.0, 50.0, ALL_BROWSERS)


@dataclass(frozen=True)
class Leg:
    """One step.

    Attributes:
        gates: Of the stage that begins with it; empty within a stage.
        sign_ins_per_s: That Auther has to bear in the busiest minute; None where the peak is not
            configured.
        usable_per_s: Half of what was measured at Auther; None where nothing was measured.
        held: What forbids it now; known of the first step only.
    """

    to: Position
    command: str
    gates: tuple[GateStanding, ...]
    sign_ins_per_s: float | None
    usable_per_s: float | None
    held: tuple[str, ...] = ()

    @property
    def fits(self) -> bool | None:
        """Tell whether Auther can bear it, None where that is not known."""
        if self.sign_ins_per_s is None or self.usable_per_s is None:
            return None
        return self.sign_ins_per_s <= self.usable_per_s


def ahead(ctx: Context) -> tuple[Leg, ...]:
    """Give the steps ahead in order, none in `auther`; changes nothing."""
    at = stages.position(stages.current(ctx))
    measured = last_measured(ctx)
    legs = tuple(_leg(ctx, at, to, measured) for to in _positions(at))
    if not legs:
        return ()
    first = legs[0]
    percent = first.to.percent if first.to.stage is Stage.DUAL else None
    move = make_move(ctx, first.to.stage, percent=percent)
    held = tuple(error.message for error in obstacles(ctx, move))
    return (replace(first, held=held), *legs[1:])


def command_to(at: Position) -> str:
    """Give the command that leads to a position."""
    share = f" --percent {at.percent:g}" if at.stage is Stage.DUAL and at.percent else ""
    return f"migrator dual-path stage set {at.stage}{share}"


def _positions(at: Position) -> Iterator[Position]:
    if at.stage is Stage.LEGACY:
        yield Position(Stage.DUAL, 0.0)
    if at.stage.rank <= Stage.DUAL.rank:
        done = at.percent if at.stage is Stage.DUAL else 0.0
        for share in SHARES:
            if share > done:
                yield Position(Stage.DUAL, share, cohorts=at.cohorts)
    for stage in (Stage.DRAIN, Stage.AUTHER):
        if stage.rank > at.stage.rank:
            yield Position(stage, ALL_BROWSERS)


def _leg(ctx: Context, at: Position, to: Position, measured: Measured | None) -> Leg:
    begins = to.stage.rank > at.stage.rank and not (to.stage is Stage.DUAL and to.percent)
    peak = ctx.config.auther.peak_sign_ins_per_s
    return Leg(
        to,
        command_to(to),
        standings(ctx, to.stage) if begins else (),
        None if peak is None else peak * share_at_auther(to),
        None if measured is None else measured.usable_per_s,
    )
