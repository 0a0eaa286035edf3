"""Phase 2: shims that accept both sides, and the switch that moves everybody's login.

Nobody is signed out by any of this. Forward goes one stage at a time, behind gates and only when
every instance follows; back goes at once.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from migrator.core.errors import UsageError
from migrator.core.stage import Stage
from migrator.legacy.connect import refuse_other_databases
from migrator.legacy.sources import SOURCES
from migrator.runner import stages
from migrator.runner.stages import ALL_BROWSERS, SET, SUBJECT, Position
from migrator.runner.standing import Standing
from migrator.runner.switching import stateless
from migrator.runner.switching.flagd import definition
from migrator.runner.switching.fleet import Fleet, look
from migrator.runner.switching.generating import Generation, compare, write, written
from migrator.runner.switching.hurt import who_is_hurt
from migrator.runner.switching.moves import (
    Move,
    check_auther,
    check_bearers,
    check_fleet,
    check_floor,
    make_move,
    obstacles,
    pass_gates,
)
from migrator.runner.switching.publishing import public_key, published
from migrator.runner.switching.rollback import RolledBack, roll_back, rollback_target
from migrator.runner.switching.route import SHARES, Leg, ahead, command_to
from migrator.runner.switching.switch import (
    Switched,
    follow,
    interrupted,
    settle_interrupted,
    switch,
)
from migrator.runner.switching.taking_out import TakingOut, take_out
from migrator.shims.interface import ShimSettings
from migrator.shims.settings import settings_from
from migrator.shims.targets import TARGETS
from migrator.state.errors import StateUnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.core.stage import StageDocument
    from migrator.runner.context import Context
    from migrator.runner.gating.guard import GateStanding

NAME = "dual-path"
GENERATE = "generate"


@dataclass(frozen=True)
class Planned:
    """What a command would do.

    Attributes:
        held: What forbids it now, each in words; empty when nothing does.
        hurt: Of a way back, whom it concerns.
    """

    before: Position
    after: Position
    held: tuple[str, ...]
    hurt: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """What `stage show` says.

    Attributes:
        document: The last one by the state, None before the first.
        before: What a rollback would restore.
        faults: Why what shims read is not what the state says; empty when it is.
        fleet: The instances by their heartbeats.
        lagging: Who has not seen the document, or what is not known.
    """

    document: StageDocument | None
    at: Position
    before: Position
    faults: tuple[str, ...]
    fleet: Fleet
    lagging: tuple[str, ...]


def plan(
    ctx: Context,
    stage: Stage,
    *,
    percent: float | None = None,
    cohorts: tuple[str, ...] | None = None,
) -> Planned:
    """Say what a `stage set` would do and what forbids it now; changes nothing.

    Raises:
        UsageError: A stage is skipped, or percentage or cohorts make no sense.
    """
    move = make_move(ctx, stage, percent=percent, cohorts=cohorts)
    held = tuple(error.message for error in obstacles(ctx, move))
    return Planned(move.before, move.after, held)


def route(ctx: Context) -> tuple[Leg, ...]:
    """Give the steps ahead, with what holds the next one; changes nothing."""
    return ahead(ctx)


def export(ctx: Context) -> dict[str, Any]:
    """Give the published stage as a flagd flag definition.

    Raises:
        ConflictError: No stage was published yet.
    """
    return definition(stages.require_current(ctx))


def plan_rollback(ctx: Context, *, stop_accepting: bool = False) -> Planned:
    """Say what a `stage rollback` would do, with the state or without it; changes nothing."""
    hurt = who_is_hurt(ctx).lines()
    try:
        target = rollback_target(ctx, stop_accepting=stop_accepting)
        return Planned(stages.position(stages.current(ctx)), target, (), hurt)
    except StateUnreachableError:
        document = stateless.published_document(ctx)
        found = stateless.target_of(ctx, document, stop_accepting=stop_accepting)
        return Planned(stages.position(document), found.position, (), hurt)


def plan_files(ctx: Context | None, target: str, out: Path, *, legacy: bool = True) -> Generation:
    """Render a shim and compare it with what is in a folder; changes nothing.

    Args:
        ctx: Without one, every setting is a placeholder that refuses to boot.
        target: A key of `migrator.shims.targets.TARGETS`.
        out: The folder.
        legacy: Off: the plain integration with Auther, without a legacy side.

    Raises:
        UsageError: The stage's signing key cannot be read, or the configuration asks for rows that
            this kind of source cannot get.
        RefusedError: The application's database is not PostgreSQL.
    """
    settings = ShimSettings.placeholders() if ctx is None else _settings(ctx)
    return compare(out, target, TARGETS[target].files(replace(settings, legacy=legacy)))


def generate(ctx: Context | None, generation: Generation, *, force: bool = False) -> None:
    """Write a shim's files; the ledger gets their hash.

    Interrupted, the same call finishes.

    Raises:
        RefusedError: A file was edited by hand and `force` is off; nothing was written.
        DependencyError: The folder cannot be written to.
    """
    if ctx is None:
        write(generation, force=force)
        return
    for entry in ctx.state.ledger.pending():
        if (entry.subject, entry.action) == (SUBJECT, GENERATE):
            ctx.state.ledger.outcome(entry, result="repeated")
    facts = {"target": generation.target, "content_hash": generation.content_hash}
    with ctx.state.ledger.recorded(SUBJECT, GENERATE, build=ctx.config.shim.build, **facts):
        write(generation, force=force)


def plan_taking_out(folder: Path) -> TakingOut:
    """Say how the shim that was generated into a folder goes; changes nothing.

    Raises:
        UsageError: None was generated there, or for a target that this version does not know.
    """
    found = written(folder)
    if found is not None and found.target not in TARGETS:
        raise UsageError(
            f"{folder} holds a shim for {found.target}, which this version does not know",
            hint=f"known targets: {', '.join(sorted(TARGETS))}",
        )
    return take_out(folder, TARGETS[found.target].names if found else ())


def run(
    ctx: Context,
    stage: Stage,
    *,
    percent: float | None = None,
    cohorts: tuple[str, ...] | None = None,
) -> Switched:
    """Move the stage and wait until every instance has seen it.

    Interrupted, the ledger holds an intent; the next command observes whether the document got
    out and writes the outcome.

    Raises:
        UsageError: A stage is skipped, or percentage or cohorts make no sense.
        HeldError: A gate or an instance is not ready.
        RefusedError: A gate failed.
        ConflictError: The way back is closed, or somebody else moves the stage.
        DependencyError: The document cannot be written.
    """
    with ctx.state.locks.held(SUBJECT) as lease:
        settle_interrupted(ctx)
        move = make_move(ctx, stage, percent=percent, cohorts=cohorts)
        if _is_out_already(ctx, move):
            done = Switched(stages.require_current(ctx), move.before, ())
        else:
            check_floor(ctx, move)
            check_fleet(ctx, move)
            check_bearers(ctx, move)
            check_auther(ctx, move)
            done = switch(ctx, lease, SET, move.after, **_evidence(pass_gates(ctx, move)))
        ctx.progress.say(f"published epoch {done.document.epoch}: {move.after}")
        return follow(ctx, lease, done, at_most=ctx.config.stage.wait)


def rollback(ctx: Context, *, stop_accepting: bool = False) -> RolledBack:
    """Restore the stage before, exactly; asks no gate, and waits for no database above five seconds.

    Interrupted after its document was out, the next call finishes it and goes no further back.

    Args:
        ctx: The surroundings.
        stop_accepting: After a compromise: go to `legacy` and refuse Auther's credentials.

    Raises:
        ConflictError: The legacy tables or columns are gone; they have to come back first.
        DependencyError: The document cannot be written.
    """
    return roll_back(ctx, stop_accepting=stop_accepting)


def verify(ctx: Context) -> tuple[str, ...]:
    """Say why what shims read is not what the state says; empty when it is."""
    document, there = stages.current(ctx), published(ctx)
    if document is None:
        return ("a document is published that this state knows nothing of",) if there else ()
    if there is None:
        return (f"{ctx.config.stage.document} is missing, or not signed by this migration's key",)
    if there != document:
        return (f"epoch {there.epoch} is published, the state says epoch {document.epoch}",)
    return ()


def show(ctx: Context) -> Shown:
    """Say where the stage is and who follows it; changes nothing."""
    document, fleet = stages.current(ctx), look(ctx)
    return Shown(
        document,
        stages.position(document),
        stages.before(ctx),
        (*verify(ctx), *(f"entry {e.seq} ({e.action}) was interrupted" for e in interrupted(ctx))),
        fleet,
        fleet.lagging(document.epoch if document else 0),
    )


def standing(ctx: Context) -> Standing:
    """Give this phase's line for `migrator status`, from the state alone."""
    document = stages.current(ctx)
    if document is None and ctx.state.ledger.latest(SUBJECT, GENERATE) is None:
        command = "migrator dual-path generate --target rails --out DIR"
        return Standing("no shim generated", next_command=command)
    at = stages.position(document)
    held = tuple(f"stage {e.action} of {e.at[:19]}Z was interrupted" for e in interrupted(ctx))
    return Standing(f"stage {at}" if document else "no stage published", held, _following(at))


def _following(at: Position) -> str:
    if at.stage is Stage.LEGACY:
        return "migrator dual-path stage set dual"
    if at.stage is not Stage.DUAL or at.percent >= ALL_BROWSERS:
        return ""
    percent = next(share for share in SHARES if share > at.percent)
    return command_to(replace(at, percent=percent))


def _settings(ctx: Context) -> ShimSettings:
    kind = ctx.config.legacy.kind
    if ctx.config.shim.create_users and not SOURCES[kind].takes_rows:
        raise UsageError(
            f'[shim] create_users: users of kind "{kind}" are not in a table that takes new rows',
            hint="set create_users = false under [shim] in migrator.toml",
        )
    # Where files are generated the database need not be known.
    with suppress(UsageError):
        refuse_other_databases(ctx.reveal(ctx.config.legacy.dsn), doing="a shim")
    settings = settings_from(ctx.config, stage_public_key=public_key(ctx))
    now = stages.position(stages.current(ctx)).stage
    # Never behind `dual` 0 %, and later at most one step behind the stage that the build runs in.
    return replace(settings, baked_stage=max(now, Stage.DUAL, key=lambda stage: stage.rank))


def _evidence(gates: tuple[GateStanding, ...]) -> dict[str, list[int]]:
    """Name the verdicts, and the overrides, by which a step begins."""
    overrides = [gate.override for gate in gates if gate.override]
    found = {"evidence": [gate.entry for gate in gates]}
    return {**found, "overrides": overrides} if overrides else found


def _is_out_already(ctx: Context, move: Move) -> bool:
    document = stages.current(ctx)
    return document is not None and move.after == move.before and published(ctx) == document
