"""The rollback without the state: from the published document and the files beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.core.clock import iso
from migrator.core.errors import ConflictError, DependencyError
from migrator.core.stage import Stage
from migrator.runner import stages
from migrator.runner.stages import NOT_PUBLISHED, PUBLISHED, ROLLBACK, Position
from migrator.runner.switching import spool, way_back
from migrator.runner.switching.publishing import publish, published
from migrator.runner.switching.switch import Switched

if TYPE_CHECKING:
    from migrator.core.stage import StageDocument
    from migrator.runner.context import Context

# Where the way back is not known: the stage before, with as many at Auther as can be.
_USUAL = {
    Stage.AUTHER: Position(Stage.DRAIN, 100.0),
    Stage.DRAIN: Position(Stage.DUAL, 100.0),
    Stage.DUAL: Position(Stage.LEGACY, 0.0),
    Stage.LEGACY: Position(Stage.LEGACY, 0.0),
}


@dataclass(frozen=True)
class Target:
    """Where a rollback leads.

    Attributes:
        known: Whether it is what the ledger would say too.
    """

    position: Position
    known: bool


def published_document(ctx: Context) -> StageDocument:
    """Give the document that shims read.

    Raises:
        DependencyError: There is none that they would take.
    """
    document = published(ctx)
    if document is None:
        raise DependencyError(
            "neither the state nor a published stage document says where the migration stands",
            hint="mend [state] url, or put the stage document back from a backup, then try again",
        )
    return document


def target_of(ctx: Context, document: StageDocument, *, stop_accepting: bool) -> Target:
    """Find out where a rollback from the published document leads.

    Raises:
        ConflictError: The legacy side is removed: nobody could sign in there.
    """
    found = way_back.find(ctx, document.epoch)
    if found is not None and found.removed:
        raise ConflictError(
            f"the legacy side is removed up to {found.removed}: nobody could sign in there",
            hint="mend the state first, then: migrator remove revert",
        )
    if stop_accepting or document.stop_accepting:
        return Target(Position(Stage.LEGACY, 0.0, stop_accepting=True), known=True)
    if found is None:
        usual = _USUAL[document.stage]
        until = document.legacy_accept_until if usual.stage is Stage.DRAIN else None
        return Target(replace(usual, legacy_accept_until=until), known=False)
    return Target((found.steps or (stages.BEGINNING,))[-1], known=True)


def is_finished(ctx: Context, document: StageDocument) -> bool:
    """Give a spooled intent that was interrupted the outcome that the published document shows.

    Returns:
        Whether there was one, and its document is the published one.
    """
    entries = spool.read(ctx)
    if not entries or entries[-1].kind != "intent":
        return False
    intent, is_out = entries[-1], entries[-1].hash == document.ledger_head
    result = PUBLISHED if is_out else NOT_PUBLISHED
    spool.append(ctx, document, ROLLBACK, "outcome", intent.seq, result=result, observed=True)
    return is_out


def roll_back(ctx: Context, *, stop_accepting: bool) -> Switched:
    """Publish the stage before and spool what the ledger will have to say about it.

    Interrupted before the document is out, nothing has changed for anybody and the same command
    does it; interrupted after it, the next command that reaches the state takes the spool over.

    Raises:
        ConflictError: The legacy side is removed, or the spool holds something else.
        DependencyError: No document is published that the shims would take, or a file cannot be
            written.
    """
    document = published_document(ctx)
    if is_finished(ctx, document) and not stop_accepting:
        return Switched(document, stages.read_position(spool.read(ctx)[-2].body["before"]), ())
    found = target_of(ctx, document, stop_accepting=stop_accepting)
    if not found.known:
        ctx.progress.say(f"what a rollback restores is not known here; going to {found.position}")
    origin, epoch = stages.position(document), document.epoch + 1
    before, after = stages.facts(origin), stages.facts(found.position)
    intent = spool.append(
        ctx, document, ROLLBACK, "intent", None, epoch=epoch, before=before, after=after
    )
    draft = replace(
        document,
        epoch=epoch,
        stage=found.position.stage,
        percent=found.position.percent,
        cohorts=found.position.cohorts,
        issued_at=iso(ctx.clock.now()),
        ledger_head=intent.hash,
        ledger_length=intent.seq,
        stop_accepting=found.position.stop_accepting,
        legacy_accept_until=found.position.legacy_accept_until,
    )
    known = way_back.find(ctx, document.epoch)
    if known is not None:
        way_back.note(ctx, epoch, known.steps[:-1])
    publish(ctx, draft)
    spool.append(ctx, draft, ROLLBACK, "outcome", intent.seq, result=PUBLISHED, epoch=epoch)
    return Switched(draft, origin, ())
