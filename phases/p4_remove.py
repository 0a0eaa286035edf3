"""Phase 4: the legacy auth tables and columns go, and can come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.core.errors import ConflictError, HeldError, UsageError
from migrator.core.stage import Stage
from migrator.runner import stages
from migrator.runner.gating.guard import standings
from migrator.runner.removing import finished
from migrator.runner.removing.archives import ARCHIVES, check_files, require_recipient
from migrator.runner.removing.code import code_to_remove
from migrator.runner.removing.consent import NONE, Consent
from migrator.runner.removing.permits import Permit, permit_step
from migrator.runner.removing.planning import (
    differences,
    look,
    refuse_what_is_not_built,
)
from migrator.runner.removing.plans import has_plan, keep_plan, kept_plan, plan_folder
from migrator.runner.removing.removal import (
    APPLIED,
    SUBJECT,
    apply_steps,
    goes_in_order,
    observe,
    revert_steps,
)
from migrator.runner.removing.site import site
from migrator.runner.removing.targets import usual_of
from migrator.runner.standing import Standing
from migrator.sqlgen.planfile import Beside, PlanFile, plan_files
from migrator.sqlgen.removal import MARIADB
from migrator.sqlgen.steps import FINALIZE, GUARD, PURGES

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.config.secrets import SecretRef
    from migrator.legacy.guard import Archived, Orphans, Scream
    from migrator.runner.context import Context
    from migrator.runner.removing.site import Site

NAME = "remove"


@dataclass(frozen=True)
class Moved:
    """What a run or a rollback did.

    Attributes:
        steps: Those that were applied or reverted now.
        exceptions: After a revert of a drop, what is not as it was.
        differences: After a full revert, parts that differ from the plan's catalog; none is right.
        orphans: Foreign keys that came back unvalidated.
    """

    steps: tuple[str, ...]
    exceptions: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    orphans: tuple[Orphans, ...] = ()


@dataclass(frozen=True)
class Status:
    """Where the removal stands in the database itself."""

    plan_id: str
    steps: dict[str, str] = field(default_factory=dict)
    archives: tuple[Archived, ...] = ()
    orphans: tuple[Orphans, ...] = ()
    lease: dict[str, Any] | None = None
    scream: Scream | None = None
    refused: dict[str, int] = field(default_factory=dict)


def plan(
    ctx: Context,
    out: Path | None = None,
    *,
    wrap: tuple[str, ...] = (),
    app: Path | None = None,
    preserve_order: bool = False,
) -> PlanFile:
    """Read the catalog and write deploy, revert and verify SQL with plan.json.

    Args:
        ctx: The surroundings.
        out: Folder for the files; `[remove] plan_dir` when None.
        wrap: Tools whose migrations the steps are to be as well.
        app: The application's folder, to read what of its code goes.
        preserve_order: Write a way back with the columns in their old places as well.

    Raises:
        UsageError: A table or column is unknown or has to stay.
        RefusedError: Something could not be carried back, or is lost and was not acknowledged.
        ConflictError: A plan is under way in the database.
    """
    folder, usual = out or ctx.path(ctx.config.remove.plan_dir), usual_of(ctx.config)
    refuse_what_is_not_built(ctx, wrap=wrap, preserve_order=preserve_order)
    require_recipient(ctx)
    _require_another_folder(ctx, folder)
    removal, bystanders, pooled = look(ctx, preserve_order=preserve_order)
    beside = Beside(
        code=code_to_remove(ctx, usual, app),
        bystanders=bystanders,
        wrap=wrap,
        library_notes=usual.notes,
        pooled=pooled,
    )
    made = keep_plan(
        ctx,
        plan_files(removal, beside, made_at=ctx.clock.now()),
        folder,
    )
    ctx.state.ledger.note(
        SUBJECT, "plan", plan=made.plan_hash, tables=made.tables, columns=made.columns
    )
    return made


def pending(ctx: Context, to: str | None = None) -> tuple[str, ...]:
    """Give the steps that `run` would apply."""
    made = kept_plan(ctx)
    names = _up_to(made, to)
    with site(ctx, made, read_only=True) as here:
        states = here.states()
    return tuple(name for name in names if states[name] != APPLIED)


def run(ctx: Context, to: str | None = None, consent: Consent = NONE) -> Moved:
    """Apply steps up to and including `to`, all without it.

    Interrupted anywhere, the same call goes on.

    Raises:
        UsageError: No such step.
        ConflictError: The stage is not `auther` yet, or somebody else is at work.
        HeldError: A gate or a lock is in the way, or a step is not approved.
        RefusedError: A gate failed, or content differs from its archive.
    """
    made = kept_plan(ctx)
    names = _up_to(made, to)
    _require_stage(ctx, made)
    _require_peace(ctx)
    with ctx.state.locks.held(SUBJECT), site(ctx, made, read_only=False) as here:
        _require_the_planned_catalog(here)
        moved = Moved(apply_steps(here, names, consent))
        here.tidy()
        return moved


def permit(ctx: Context, step: str, consent: Consent = NONE) -> Permit:
    """Check everything that `run` checks before a step, and let its SQL run by other means.

    Raises:
        UsageError: No such step.
        ConflictError: It is not this step's turn, or somebody else is at work here.
        HeldError: A gate is in the way, or the step is not approved.
        RefusedError: A gate failed.
    """
    made = kept_plan(ctx)
    name = made.steps[_position(made, step)]
    _require_stage(ctx, made)
    _require_peace(ctx)
    with ctx.state.locks.held(SUBJECT), site(ctx, made, read_only=False) as here:
        _require_the_planned_catalog(here)
        return permit_step(here, name, consent)


def revertible(ctx: Context, to: str | None = None) -> tuple[str, ...]:
    """Give the steps that `rollback` would take back, in its order."""
    made = kept_plan(ctx)
    names = _beyond(made, to)
    with site(ctx, made, read_only=True) as here:
        states = here.states()
    return tuple(name for name in names if states[name] != "pending")


def rollback(
    ctx: Context,
    to: str | None = None,
    *,
    identity: SecretRef | None = None,
    preserve_order: bool = False,
) -> Moved:
    """Take back every step after `to`, all without it; asks no gate.

    Interrupted anywhere, the same call goes on.

    Args:
        ctx: The surroundings.
        to: The last step to leave.
        identity: The archive's private key, for what was purged; that of the configuration when None.
        preserve_order: Columns come back in their old places, while nobody can use their table.

    Raises:
        UsageError: No such step, or the plan has no way back in order.
        ConflictError: Somebody else is at work.
        HeldError: A lock is in the way.
        RefusedError: What came back differs from the archive; nothing of it is kept.
    """
    made = kept_plan(ctx)
    names = _beyond(made, to)
    with ctx.state.locks.held(SUBJECT), site(ctx, made, read_only=False) as here:
        in_order = goes_in_order(here, wanted=preserve_order)
        orphans: tuple[Orphans, ...] = ()
        done: tuple[str, ...] = ()
        for name in names:
            done += revert_steps(here, (name,), identity=identity, preserve_order=in_order)
            # The list goes away with the guard schema, which is reverted last.
            orphans = here.guard.orphans() if here.guard.plan_id() else orphans
        here.tidy()
        was_dropped = not PURGES.isdisjoint(done)
        return Moved(
            done,
            exceptions=(made.exceptions_in_order if in_order else made.exceptions)
            if was_dropped
            else (),
            differences=differences(here) if here.guard.plan_id() is None else (),
            orphans=orphans,
        )


def verify(ctx: Context) -> tuple[str, ...]:
    """Check in the database that each applied step holds, archives included.

    Returns:
        The steps that were checked.

    Raises:
        RefusedError: A step's effect is not what the database holds.
    """
    made = kept_plan(ctx)
    with site(ctx, made, read_only=True) as here:
        applied = [name for name, state in here.states().items() if state == APPLIED]
        # At the end the guard's functions, which the other files check with, are gone.
        for name in [FINALIZE] if FINALIZE in applied else applied:
            here.run(name, "verify")
        for name in ARCHIVES.intersection(applied):
            check_files(here, name)
        if FINALIZE in applied:
            return (FINALIZE,)
    return tuple(applied)


def status(ctx: Context) -> Status:
    """Say where the removal stands in the database itself."""
    made = kept_plan(ctx)
    with site(ctx, made, read_only=True) as here:
        states = here.states()
        observe(here)
        if here.guard.plan_id() is None:
            return Status(made.plan_id, states, here.archives())
        listening = here.listening()
        return Status(
            made.plan_id,
            states,
            here.guard.archives(),
            here.guard.orphans(),
            here.guard.holder(),
            here.guard.scream(),
            dict(listening.heard.refused) if listening else {},
        )


def standing(ctx: Context) -> Standing:
    """Give this phase's line for `migrator status`, from the state alone."""
    if not has_plan(ctx):
        return Standing("not planned", next_command="migrator remove plan")
    made = kept_plan(ctx)
    applied = ctx.state.checkpoints.get(SUBJECT, APPLIED) or []
    if len(applied) == len(made.steps):
        return Standing("removed; the archive is kept, a revert is possible")
    held = tuple(
        f"{gate.gate}: {gate.state}, {gate.reason}"
        for gate in standings(ctx, SUBJECT)
        if not gate.state.lets_through
    )
    return Standing(
        f"{len(applied)} of {len(made.steps)} steps applied", held, "migrator remove apply"
    )


def _require_another_folder(ctx: Context, folder: Path) -> None:
    """Keep the files of a removal that came to its end: they are its way back."""
    if not has_plan(ctx):
        return
    old = kept_plan(ctx)
    if finished.record(ctx, old) is not None and plan_folder(ctx) == folder:
        raise ConflictError(
            f"plan {old.plan_id} in {folder} came to its end, and its files are the way back",
            hint="migrator remove revert, or another folder for the next plan: remove plan --out",
        )


def _require_stage(ctx: Context, made: PlanFile) -> None:
    if made.dialect == MARIADB:
        return  # Stages know PostgreSQL only: the plan was not made unless that is acknowledged.
    document = stages.current(ctx)
    if document is None or document.stage is not Stage.AUTHER:
        now = document.stage if document else Stage.LEGACY
        raise ConflictError(
            f"the stage is {now}: legacy logins still need what would be removed",
            hint=f"migrator dual-path stage set {Stage.AUTHER}, hold it, then: migrator remove apply",
        )


def _require_the_planned_catalog(here: Site) -> None:
    """Compare everything before the first step; later the guard schema compares in each transaction."""
    if here.states()[GUARD] == APPLIED:
        return
    if found := differences(here):
        raise ConflictError(
            f"the database is not the one that was planned for: {', '.join(found)}",
            hint="migrator remove plan",
        )


def _require_peace(ctx: Context) -> None:
    """Make sure that nobody copies users between both sides meanwhile."""
    for subject in ("import", "write-back"):
        holder = ctx.state.locks.holder(subject)
        if holder is not None:
            raise HeldError(
                f"{holder} is working on the {subject}, which needs what would be removed",
                hint="end it (import sync --watch, import write-back --watch), then try again",
            )


def _up_to(made: PlanFile, to: str | None) -> tuple[str, ...]:
    return made.steps[: _position(made, to) + 1] if to else made.steps


def _beyond(made: PlanFile, to: str | None) -> tuple[str, ...]:
    return (made.steps[_position(made, to) + 1 :] if to else made.steps)[::-1]


def _position(made: PlanFile, to: str) -> int:
    found = [
        place for place, name in enumerate(made.steps) if to in {name, name.partition("_")[0]}
    ]
    if not found:
        raise UsageError(
            f"--to {to}: there is no such step; allowed: {', '.join(made.steps)}",
            hint="migrator remove status",
        )
    return found[0]
