"""Takes the stage back by itself when health is broken for sure, and only where that is configured."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso, parse_iso
from migrator.core.errors import ConflictError
from migrator.core.events import Event
from migrator.gates.regress import breaches
from migrator.gates.spec import GateSpec, spec_of_regress
from migrator.runner import stages
from migrator.runner.gating.sampling import graded
from migrator.runner.notifying.announcing import announce
from migrator.runner.stages import PUBLISHED, ROLLBACK, SUBJECT
from migrator.runner.switching.moves import Move, check_floor
from migrator.runner.switching.rollback import restore
from migrator.runner.switching.switch import interrupted, settle_interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.config.regress import RegressSection
    from migrator.gates.evaluate import Sample
    from migrator.runner.context import Context
    from migrator.runner.stages import Position
    from migrator.runner.switching.switch import Switched
    from migrator.state.ledger import Entry

NOTE = "regress"
_HINT = "migrator dual-path stage show"


@dataclass(frozen=True)
class Regressed:
    """A breach of health that is certain, and what came of it.

    Attributes:
        reason: What is broken.
        kept: Why the stage stays as it is; '' when it was taken back.
        done: The rollback; None when there was none.
    """

    name: str
    reason: str
    kept: str = ""
    done: Switched | None = None


def regress_specs(ctx: Context) -> tuple[GateSpec, ...]:
    """Give what is sampled for the regresses."""
    return tuple(spec_of_regress(ctx.config, section) for section in ctx.config.regress)


def regress(ctx: Context) -> tuple[Regressed, ...]:
    """Look at each regress; the first one that is broken and may, takes the stage back.

    Interrupted before the document was out, nothing has changed for anybody and a breach that goes on
    takes the stage back later; interrupted after it, the next call writes the outcome and goes no
    further.

    Raises:
        DependencyError: The document cannot be written.
    """
    _settle(ctx)
    found = []
    for section in ctx.config.regress:
        broken = _broken(ctx, section)
        if broken:
            regressed = _regressed(ctx, section, broken)
            found.append(regressed)
            if regressed.done is not None:
                break
    return tuple(found)


def _settle(ctx: Context) -> None:
    """Find out what became of a rollback whose watch was killed."""
    if any(entry.body.get("regress") for entry in interrupted(ctx)):
        with suppress(ConflictError), ctx.state.locks.held(SUBJECT):
            settle_interrupted(ctx)


def _broken(ctx: Context, section: RegressSection) -> tuple[Sample, ...]:
    document = stages.current(ctx)
    if document is None:
        return ()
    spec = spec_of_regress(ctx.config, section)
    since = parse_iso(document.issued_at)
    return breaches(spec, graded(ctx, spec), now=ctx.clock.now(), since=since)


def _regressed(ctx: Context, section: RegressSection, broken: Sequence[Sample]) -> Regressed:
    reason = f"{section.measure} {broken[-1].reason}, {len(broken)} times in a row"
    if not section.roll_back:
        return _kept(ctx, Regressed(section.name, reason, "roll_back is off"))
    try:
        done = _taken_back(ctx, section, reason, broken)
    except ConflictError as error:
        return _kept(ctx, Regressed(section.name, reason, error.message))
    at = stages.position(done.document)
    regressed = Regressed(section.name, reason, done=done)
    _tell(ctx, regressed, f"the stage went back to {at} by itself")
    return regressed


def _taken_back(
    ctx: Context, section: RegressSection, reason: str, broken: Sequence[Sample]
) -> Switched:
    """Restore the position before, as the only one who moves the stage now.

    Raises:
        ConflictError: The stage may not go back by itself.
    """
    why: dict[str, Any] = {"regress": section.name, "reason": reason}
    with ctx.state.locks.held(SUBJECT) as lease:
        settle_interrupted(ctx)
        # Another watch may have been first: what it left is judged anew.
        if not _broken(ctx, section):
            raise ConflictError("the stage was moved meanwhile", hint=_HINT)
        target = _target(ctx, section)
        return restore(ctx, lease, target, **why, evidence=_evidence(broken)).done


def _target(ctx: Context, section: RegressSection) -> Position:
    """Give the position before, if the stage may go back to it.

    Raises:
        ConflictError: It may not: once was enough, the way back is closed, or leads forward or nowhere.
    """
    last = _last_by_itself(ctx)
    if last is not None and ctx.clock.now() - parse_iso(last.at) < section.once_in:
        raise ConflictError(f"it went back by itself at {last.at} already", hint=_HINT)
    document = stages.require_current(ctx)
    origin, target = stages.position(document), stages.before(ctx)
    move = Move(origin, target, document.epoch)
    if origin == target or move.is_forward or origin.stop_accepting:
        raise ConflictError(
            f"from {origin} there is no way back that a regress may take", hint=_HINT
        )
    check_floor(ctx, move)
    return target


def _last_by_itself(ctx: Context) -> Entry | None:
    """Give the last rollback that a regress made and that got out."""
    entries = ctx.state.ledger.entries(subject=SUBJECT)
    out = {entry.intent for entry in entries if entry.body.get("result") == PUBLISHED}
    mine = (e for e in entries if e.action == ROLLBACK and e.body.get("regress") and e.seq in out)
    return max(mine, key=lambda entry: entry.seq, default=None)


def _kept(ctx: Context, regressed: Regressed) -> Regressed:
    """Say once what is broken and why nothing is done, not at each look."""
    before = ctx.state.ledger.latest(NOTE, regressed.name)
    said = {"reason": regressed.reason, "kept": regressed.kept}
    if before is None or before.body.get("kept") != regressed.kept:
        ctx.state.ledger.note(NOTE, regressed.name, **said)
        _tell(ctx, regressed, f"the stage stays as it is: {regressed.kept}")
    return regressed


def _tell(ctx: Context, regressed: Regressed, then: str) -> None:
    ctx.progress.say(f"{regressed.name}: {regressed.reason}; {then}")
    title = f"health {regressed.name}: {regressed.reason}"
    facts = {"regress": regressed.name, "rolled_back": regressed.done is not None}
    announce(ctx, Event("health", title, (then, "migrator drain health"), facts))


def _evidence(broken: Sequence[Sample]) -> list[dict[str, Any]]:
    return [{"at": iso(s.at), "value": s.value, "reason": s.reason} for s in broken]
