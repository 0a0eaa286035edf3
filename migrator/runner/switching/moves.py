"""One step of the switch: where from, where to, and what forbids it now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import ConflictError, HeldError, MigratorError, UsageError
from migrator.core.stage import Stage, check_step
from migrator.runner import stages
from migrator.runner.gating.guard import let_through, require_gates
from migrator.runner.readiness.foreign_bearers import check_foreign_bearers
from migrator.runner.stages import ALL_BROWSERS, Position, share_at_auther
from migrator.runner.standing_up.doors import check_capacity, check_doors
from migrator.runner.switching import way_back
from migrator.runner.switching.fleet import look
from migrator.runner.switching.switch import deadline

if TYPE_CHECKING:
    from migrator.runner.context import Context
    from migrator.runner.gating.guard import GateStanding

_DECIMALS = 2
_COHORT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Move:
    """A step of the switch, not taken yet.

    Attributes:
        epoch: Of the document that holds now, 0 before the first.
    """

    before: Position
    after: Position
    epoch: int

    @property
    def is_forward(self) -> bool:
        """Tell whether more logins go to Auther afterwards."""
        old, new = self.before, self.after
        joined = set(new.cohorts) - set(old.cohorts)
        more = new.stage is Stage.DUAL and (new.percent > old.percent or bool(joined))
        return new.stage.rank > old.stage.rank or (new.stage is old.stage and more)

    @property
    def enters_stage(self) -> bool:
        """Tell whether a new stage begins, which gates guard."""
        return self.after.stage.rank > self.before.stage.rank


def make_move(
    ctx: Context,
    stage: Stage,
    *,
    percent: float | None = None,
    cohorts: tuple[str, ...] | None = None,
) -> Move:
    """Say what a `stage set` would do, from the state alone.

    Args:
        ctx: The surroundings.
        stage: Where to.
        percent: Share of browsers that sign in at Auther, 0 to 100 with two decimals; only in
            `dual`, where it stays as it is when not given. Buckets are sticky: raising it moves
            more browsers and none back, lowering it moves back those that came last.
        cohorts: Groups that sign in at Auther whatever their bucket; only in `dual`, where they
            stay as they are when not given. How many logins they bring is not known.

    Raises:
        UsageError: A stage is skipped, or percentage or cohorts make no sense.
    """
    document = stages.current(ctx)
    origin = stages.position(document)
    check_step(origin.stage, stage)
    share, groups = _share(origin, stage, percent), _cohorts(origin, stage, cohorts)
    # After a compromise only a step forward, behind its gates, takes Auther's credentials again.
    stopped = origin.stop_accepting and stage is Stage.LEGACY
    target = Position(stage, share, deadline(ctx, stage), stop_accepting=stopped, cohorts=groups)
    return Move(origin, target, document.epoch if document else 0)


def obstacles(ctx: Context, move: Move) -> tuple[MigratorError, ...]:
    """Give everything that forbids a move now, without taking it."""
    found: list[MigratorError] = []
    for check in (check_floor, check_fleet, check_bearers, check_auther, check_gates):
        try:
            check(ctx, move)
        except MigratorError as error:
            found.append(error)
    return tuple(found)


def _share(origin: Position, stage: Stage, percent: float | None) -> float:
    if stage is not Stage.DUAL:
        if percent is not None:
            raise UsageError(
                f"--percent means nothing in stage {stage}",
                hint=f"migrator dual-path stage set {stage}",
            )
        return 0.0 if stage is Stage.LEGACY else ALL_BROWSERS
    if percent is None:
        return origin.percent if origin.stage is Stage.DUAL else 0.0
    if not 0 <= percent <= ALL_BROWSERS or round(percent, _DECIMALS) != percent:
        raise UsageError(
            f"--percent {percent}: 0 to 100 with at most two decimals",
            hint="migrator dual-path stage set dual --percent 10",
        )
    return percent


def _cohorts(origin: Position, stage: Stage, cohorts: tuple[str, ...] | None) -> tuple[str, ...]:
    if stage is not Stage.DUAL:
        if cohorts:
            raise UsageError(
                f"--cohort means nothing in stage {stage}",
                hint=f"migrator dual-path stage set {stage}",
            )
        return ()
    if cohorts is None:
        return origin.cohorts
    wrong = [name for name in cohorts if not _COHORT.fullmatch(name)]
    if wrong:
        raise UsageError(
            f"--cohort {wrong[0]!r}: letters, digits, '_' and '-', at most 64",
            hint="migrator dual-path stage set dual --cohort staff",
        )
    return tuple(sorted(set(cohorts)))


def check_floor(ctx: Context, move: Move) -> None:
    """Make sure that the way back is open.

    Raises:
        ConflictError: The legacy side is gone, from the database or from a running build.
    """
    if move.after.stage.rank >= move.before.stage.rank:
        return
    check_removal(ctx, move.after)
    incapable = look(ctx).without_legacy()
    if incapable:
        raise ConflictError(
            f"these builds no longer know legacy sessions: {', '.join(incapable)}",
            hint="deploy a build that does, then try again",
        )


def check_removal(ctx: Context, target: Position) -> None:
    """Make sure, from the state alone, that legacy tables and columns are there.

    Raises:
        ConflictError: They are in quarantine or dropped.
    """
    closed = way_back.closed_by(ctx.state.checkpoints.get("remove", "applied") or ())
    if closed and target.stage is not Stage.AUTHER:
        raise ConflictError(
            f"the legacy side is removed up to {closed}: nobody could sign in there",
            hint="migrator remove revert, then try again",
        )


def check_fleet(ctx: Context, move: Move) -> None:
    """Make sure that every instance accepts what a step forward issues.

    Raises:
        HeldError: An instance lags or is missing, nobody knows, or a build falls back too far.
    """
    if not move.is_forward:
        return
    fleet = look(ctx)
    if lagging := fleet.lagging(move.epoch):
        raise HeldError(
            "readers come before issuers, and not every instance is ready:\n"
            + "\n".join(f"  {line}" for line in lagging),
            hint="migrator dual-path stage show",
        )
    if old := fleet.too_old_for(move.after.stage):
        raise HeldError(
            f"builds fall back too far for stage {move.after.stage}:\n"
            + "\n".join(f"  {line}" for line in old),
            hint="migrator dual-path generate again, deploy that build, then try again",
        )


def check_bearers(ctx: Context, move: Move) -> None:
    """Make sure that somebody decided what becomes of bearers that are not Auther's.

    Raises:
        HeldError: The application's code knows some, and nobody did.
    """
    if move.enters_stage:
        check_foreign_bearers(ctx)


def check_auther(ctx: Context, move: Move) -> None:
    """Make sure that Auther can take those whom a step forward sends there.

    Raises:
        HeldError: Nobody has looked at Auther lately, or what counts could not be found out.
        RefusedError: New users or forgotten passwords have nowhere to go there, accounts are linked
            by e-mail, or it is too slow.
    """
    share = share_at_auther(move.after)
    if not move.is_forward or not share:
        return
    check_doors(ctx)
    check_capacity(ctx, share)


def pass_gates(ctx: Context, move: Move) -> tuple[GateStanding, ...]:
    """Like `check_gates`, for a move that is taken now: overrides in it are spent.

    Raises:
        HeldError: One has not passed, or there is none.
        RefusedError: One failed.
    """
    return let_through(ctx, move.after.stage) if move.enters_stage else ()


def check_gates(ctx: Context, move: Move) -> tuple[GateStanding, ...]:
    """Make sure that the gates before a new stage have passed.

    Raises:
        HeldError: One has not, or there is none.
        RefusedError: One failed.
    """
    return require_gates(ctx, move.after.stage) if move.enters_stage else ()
