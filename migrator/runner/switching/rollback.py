"""Restores the stage before: with the state or without it, by a person or by a regress."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from migrator.core.stage import Stage
from migrator.runner import stages
from migrator.runner.stages import ROLLBACK, SUBJECT, Position
from migrator.runner.switching import stateless
from migrator.runner.switching.fleet import wait_for_epoch
from migrator.runner.switching.hurt import Hurt, who_is_hurt
from migrator.runner.switching.moves import check_removal
from migrator.runner.switching.publishing import published
from migrator.runner.switching.switch import Switched, follow, settle_interrupted, switch
from migrator.state.errors import StateUnreachableError

if TYPE_CHECKING:
    from migrator.core.stage import StageDocument
    from migrator.runner.context import Context
    from migrator.state.locks import Lease

ROLLBACK_WAIT = timedelta(seconds=30)


@dataclass(frozen=True)
class RolledBack:
    """What `stage rollback` did.

    Attributes:
        hurt: Whom it concerns, as it was just before.
    """

    done: Switched
    hurt: Hurt


def roll_back(ctx: Context, *, stop_accepting: bool = False) -> RolledBack:
    """Restore the stage before, exactly; asks no gate, and waits for no database above five seconds.

    Says beforehand who could not sign in as usual afterwards.

    Interrupted after its document was out, the next call finishes it and goes no further back.
    Takes the stage's lock even when somebody holds it. Auther's credentials stay good until they
    expire, so that nobody is signed out. Where the state does not answer, the way back is read
    beside the stage document, and what the ledger has to know is spooled.

    Args:
        ctx: The surroundings.
        stop_accepting: After a compromise: go to `legacy` and refuse Auther's credentials.

    Raises:
        ConflictError: The legacy tables or columns are gone; they have to come back first.
        DependencyError: The document cannot be written.
    """
    begun = published(ctx)
    try:
        return _with_state(ctx, stop_accepting=stop_accepting)
    except StateUnreachableError as error:
        ctx.progress.say(f"{error.message}; the stage goes back without the state")
        return _without_state(ctx, begun, stop_accepting=stop_accepting)


def _without_state(
    ctx: Context, begun: StageDocument | None, *, stop_accepting: bool
) -> RolledBack:
    hurt = who_is_hurt(ctx)
    for line in hurt.lines():
        ctx.progress.say(line)
    there = published(ctx)
    if there is not None and begun is not None and there.epoch > begun.epoch:
        # It got out before the state went away.
        done = Switched(there, stages.position(begun), ())
    else:
        done = stateless.roll_back(ctx, stop_accepting=stop_accepting)
    ctx.progress.say(
        f"published epoch {done.document.epoch}: {stages.position(done.document)}; the ledger"
        " learns of it with the next stage command that reaches the state"
    )
    at_most = min(ctx.config.stage.wait, ROLLBACK_WAIT)
    lagging = wait_for_epoch(ctx, done.document.epoch, at_most=at_most, check=lambda: None)
    return RolledBack(replace(done, lagging=lagging), hurt)


def _with_state(ctx: Context, *, stop_accepting: bool) -> RolledBack:
    with ctx.state.locks.held(SUBJECT, break_it=True) as lease:
        found = [entry for entry in settle_interrupted(ctx) if entry.action == ROLLBACK]
        target = rollback_target(ctx, stop_accepting=stop_accepting)
        done = None
        if found and not stop_accepting:
            # A killed rollback that had got out is finished, not followed by one step more.
            before = stages.read_position(found[-1].body["before"])
            done = Switched(stages.require_current(ctx), before, ())
        return restore(ctx, lease, target, done=done)


def restore(
    ctx: Context, lease: Lease, target: Position, *, done: Switched | None = None, **why: Any
) -> RolledBack:
    """Publish a position as a rollback and wait for the instances, whoever asked for it.

    Args:
        ctx: The surroundings.
        lease: The stage's lock.
        target: Where to.
        done: What a rollback that was interrupted has published already.
        why: Further facts for the ledger.

    Raises:
        ConflictError: The legacy tables or columns are gone, or somebody else took the lock.
        DependencyError: The document cannot be written.
    """
    hurt = who_is_hurt(ctx)
    for line in hurt.lines():
        ctx.progress.say(line)
    if done is None:
        check_removal(ctx, target)
        done = switch(ctx, lease, ROLLBACK, target, **why)
    at = stages.position(done.document)
    ctx.progress.say(f"published epoch {done.document.epoch}: {at}")
    at_most = min(ctx.config.stage.wait, ROLLBACK_WAIT)
    return RolledBack(follow(ctx, lease, done, at_most=at_most), hurt)


def rollback_target(ctx: Context, *, stop_accepting: bool) -> Position:
    """Say where a rollback leads, by the state."""
    if stop_accepting or stages.position(stages.current(ctx)).stop_accepting:
        return Position(Stage.LEGACY, 0.0, stop_accepting=True)
    return stages.before(ctx)
