"""Moves the stage: ledger first, then the document, then everybody who must have seen it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso
from migrator.core.errors import MigratorError
from migrator.core.events import Event
from migrator.core.stage import Stage, StageDocument
from migrator.runner import stages
from migrator.runner.notifying.announcing import announce
from migrator.runner.stages import NOT_PUBLISHED, PUBLISHED, SET, SUBJECT, Position
from migrator.runner.switching import spool, way_back
from migrator.runner.switching.fleet import wait_for_epoch
from migrator.runner.switching.publishing import publish, published

if TYPE_CHECKING:
    from datetime import timedelta

    from migrator.runner.context import Context
    from migrator.state.ledger import Entry
    from migrator.state.locks import Lease


@dataclass(frozen=True)
class Switched:
    """What came of moving the stage.

    Attributes:
        lagging: Who has not seen the document yet, or what is not known; empty when all follow.
    """

    document: StageDocument
    before: Position
    lagging: tuple[str, ...]


def settle_interrupted(ctx: Context) -> tuple[Entry, ...]:
    """Give each stage intent without outcome the outcome that the published document shows.

    A command that was killed leaves such an intent; whether its document got out is observed,
    not guessed. What a rollback spooled while the state was away enters the ledger first.

    Returns:
        The intents whose document is the published one.
    """
    effective = []
    there = published(ctx)
    if spool.merge(ctx, there) and there is not None:
        stages.remember(ctx, there)
    for intent in interrupted(ctx):
        if there is not None and there.ledger_head == intent.hash:
            stages.remember(ctx, there)
            ctx.state.ledger.outcome(intent, result=PUBLISHED, observed=True, epoch=there.epoch)
            announce(ctx, _news(intent))
            effective.append(intent)
        else:
            ctx.state.ledger.outcome(intent, result=NOT_PUBLISHED, observed=True)
    return tuple(effective)


def switch(ctx: Context, lease: Lease, action: str, target: Position, **why: Any) -> Switched:
    """Publish the next document and wait for the instances.

    Interrupted before the document is out, nothing has changed for anybody; interrupted after it,
    the shims follow it and the next command writes the outcome.

    Args:
        ctx: The surroundings.
        lease: The stage's lock, checked before the effect.
        action: `set` or `rollback`.
        target: Where to.
        why: Further facts for the ledger.

    Raises:
        ConflictError: Somebody else took the lock.
        DependencyError: The document cannot be written.
    """
    origin = stages.position(stages.current(ctx))
    draft = _draft(ctx, target)
    intent = ctx.state.ledger.intent(
        SUBJECT,
        action,
        epoch=draft.epoch,
        salt=draft.salt,
        before=stages.facts(origin),
        after=stages.facts(target),
        **why,
    )
    document = replace(draft, ledger_head=intent.hash, ledger_length=intent.seq)
    steps = stages.way_back(ctx)
    try:
        ctx.state.locks.check(lease)
        way_back.note(ctx, document.epoch, (*steps, origin) if action == SET else steps[:-1])
        publish(ctx, document)
    except MigratorError:
        settle_interrupted(ctx)
        raise
    stages.remember(ctx, document)
    ctx.state.ledger.outcome(intent, result=PUBLISHED, epoch=document.epoch)
    announce(ctx, _news(intent))
    return Switched(document, origin, ())


def follow(ctx: Context, lease: Lease, done: Switched, *, at_most: timedelta) -> Switched:
    """Wait for the instances and note in the ledger who did not follow in time.

    Raises:
        ConflictError: Somebody else took the lock, so another document may be out by now.
    """
    lagging = wait_for_epoch(
        ctx, done.document.epoch, at_most=at_most, check=lambda: ctx.state.locks.check(lease)
    )
    ctx.state.ledger.note(
        SUBJECT, "followed", epoch=done.document.epoch, by_all=not lagging, lagging=list(lagging)
    )
    return replace(done, lagging=lagging)


def _news(intent: Entry) -> Event:
    body = intent.body
    before, after = (stages.read_position(body[key]) for key in ("before", "after"))
    word = "rolled back" if intent.action == stages.ROLLBACK else "moved"
    facts = {key: body[key] for key in ("before", "after", "epoch")}
    return Event(
        "stage",
        f"the stage was {word} from {before} to {after}",
        (f"epoch {body['epoch']}, ledger entry {intent.seq}",),
        {"action": intent.action, **facts},
    )


def _draft(ctx: Context, target: Position) -> StageDocument:
    known = (stages.current(ctx), published(ctx))
    # Above the published one too: a state that was restored from a backup must not go back.
    newest = max((document.epoch for document in known if document is not None), default=0)
    return StageDocument(
        namespace=ctx.config.migration.name,
        epoch=newest + 1,
        stage=target.stage,
        percent=target.percent,
        salt=stages.salt(ctx),
        issued_at=iso(ctx.clock.now()),
        ledger_head="",
        ledger_length=0,
        stop_accepting=target.stop_accepting,
        legacy_accept_until=target.legacy_accept_until,
        cohorts=target.cohorts,
    )


def interrupted(ctx: Context) -> tuple[Entry, ...]:
    """Give the stage intents that have no outcome yet."""
    return tuple(
        entry
        for entry in ctx.state.ledger.pending()
        if entry.subject == SUBJECT and entry.action in {stages.SET, stages.ROLLBACK}
    )


def deadline(ctx: Context, target: Stage) -> str | None:
    """Give until when legacy sessions are accepted in a stage: kept once it is set."""
    now = stages.current(ctx)
    if target.rank < Stage.DRAIN.rank:
        return None
    if now is not None and now.legacy_accept_until is not None:
        return now.legacy_accept_until
    return iso(ctx.clock.now() + ctx.config.stage.legacy_accept_for)
