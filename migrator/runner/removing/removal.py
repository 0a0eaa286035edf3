"""Moves a removal forward and back, one recorded step at a time."""

from __future__ import annotations

import json
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.archive.folder import remove
from migrator.core.errors import ConflictError, UsageError
from migrator.gates.verdict import GateState
from migrator.legacy.guard import Evidence
from migrator.runner.gating.guard import let_through, require_gates
from migrator.runner.removing import finished
from migrator.runner.removing.archives import ARCHIVES, DRILLS, REFILLS, folder_of, is_proven
from migrator.runner.removing.archiving import make_archive
from migrator.runner.removing.consent import NONE, Consent, agreed, require_code_first
from migrator.runner.removing.drilling import drill, refill
from migrator.runner.removing.receipt import keep_receipt, note_archives
from migrator.runner.removing.site import holder_of
from migrator.runner.switching import way_back
from migrator.sqlgen import in_order, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.config.secrets import SecretRef
    from migrator.runner.context import Context
    from migrator.runner.gating.guard import GateStanding
    from migrator.runner.removing.site import Site

SUBJECT = "remove"
APPLIED = "applied"
# After these the receipt says something new.
_ENDS = frozenset({*steps.PURGES, steps.FINALIZE})


def apply_steps(here: Site, names: tuple[str, ...], consent: Consent = NONE) -> tuple[str, ...]:
    """Apply steps that are not applied yet, in order.

    Interrupted anywhere, the same call goes on; each step's gates are asked again before it.

    Returns:
        The steps that were applied now.

    Raises:
        RefusedError: A gate fails, or content differs from its archive.
        HeldError: A gate is not passed, or a lock is not to be had.
        ConflictError: Another operator or plan is at work.
        DependencyError: The database failed; try again.
    """
    applied = []
    for name in names:
        state = here.states()[name]
        if state == APPLIED:
            continue
        if state == "reverting":
            raise ConflictError(
                f"step {name} is half reverted",
                hint="take it back to its end first: migrator remove revert, with --to as before",
            )
        require_code_first(here.plan, name)
        with (
            _recorded(here, "apply", name) as facts,
            behind_gates(here, name, consent, facts) as (evidence, standings),
        ):
            _deploy(here, standings, evidence, facts)
        applied.append(name)
        if name in _ENDS:
            keep_receipt(here.ctx, here.plan)
    return tuple(applied)


def revert_steps(
    here: Site,
    names: tuple[str, ...],
    *,
    identity: SecretRef | None = None,
    preserve_order: bool = False,
) -> tuple[str, ...]:
    """Take steps back, in the order given; a step that left nothing behind is only noted.

    Interrupted anywhere, the same call goes on. No gate is asked.

    Args:
        here: Where.
        names: The steps.
        identity: The archive's private key, for what was purged; that of the configuration when None.
        preserve_order: Columns come back in their old places, as `goes_in_order` says.

    Raises:
        HeldError: A lock is not to be had.
        RefusedError: What came back differs from the archive; that transaction is undone.
        ConflictError: Another operator or plan is at work.
        DependencyError: The database failed; try again.
    """
    reverted = []
    for name in names:
        state = here.states()[name]
        if state == "pending":
            # A database that does not know this plan cannot say that its files are of no use.
            if here.guard.plan_id() is not None:
                _leave_nothing(here, name)
            continue
        with _recorded(here, "revert", name):
            if name != steps.FINALIZE:
                finished.forget(here.ctx)
            elif here.guard.plan_id() is None:
                here.reopen()
            if state == "applying" and not (here.database.piecemeal or name in steps.PIECEMEAL):
                _step_back(here, name)
            else:
                _take_back(here, name, identity, preserve_order=preserve_order)
            _leave_nothing(here, name)
        reverted.append(name)
    return tuple(reverted)


def _leave_nothing(here: Site, name: str) -> None:
    """Remove the files of an archive that the database no longer knows, an interrupted one's too."""
    if name in ARCHIVES:
        remove(folder_of(here.ctx, here.plan.plan_id, name))


def _step_back(here: Site, name: str) -> None:
    with here.guard.leased(holder_of(here.ctx)):
        here.guard.step_back(name)


def _take_back(here: Site, name: str, identity: SecretRef | None, *, preserve_order: bool) -> None:
    with here.guard.leased(holder_of(here.ctx)):
        # A server may have gone on with what a killed process told it, until it gave the lease back.
        if here.states()[name] == "pending":
            return
        file = in_order.FILE if preserve_order and name == steps.PURGE_COLUMNS else ""
        if name in REFILLS and not _comes_back_later(here, name):
            refill(here, REFILLS[name], identity)
        here.run(name, "revert", file)


def goes_in_order(here: Site, *, wanted: bool) -> bool:
    """Tell whether columns come back in their old places; what was begun one way goes on that way.

    Raises:
        UsageError: The plan has no such file.
        ConflictError: The other way was begun.
    """
    done = here.done(steps.PURGE_COLUMNS, "revert")
    if in_order.REBUILD in done:
        return True
    if not wanted:
        return False
    if not here.plan.in_order:
        raise UsageError(
            "this plan has no way back with the columns in their old places",
            hint="the same command without --preserve-order; another time: migrator remove plan --preserve-order",
        )
    if done:
        raise ConflictError(
            f"the columns are coming back at the table's end already: step {steps.PURGE_COLUMNS} is half reverted",
            hint="the same command without --preserve-order",
        )
    return True


def _comes_back_later(here: Site, name: str) -> bool:
    """Tell whether another step's revert brings the values back: where they were erased before the columns went."""
    return name == steps.PURGE_COLUMNS and steps.ERASE_COLUMNS in here.plan.steps


def _deploy(
    here: Site,
    standings: tuple[GateStanding, ...],
    evidence: Evidence,
    facts: dict[str, Any],
) -> None:
    name = evidence.step
    if name == steps.GUARD:
        here.run(name, "deploy")
        return
    with here.guard.leased(holder_of(here.ctx)):
        if here.states()[name] == APPLIED:
            return
        here.guard.present(evidence)
        if name in {*ARCHIVES, *DRILLS}:
            _work_on_archive(here, name, facts)
            # That may take longer than evidence is good for.
            here.guard.present(_evidence_for(here, name, _still(here.ctx, standings)))
        if name in steps.PURGES:
            for line in here.plan.exceptions:
                here.ctx.progress.say(f"no revert brings back: {line}")
        here.run(name, "deploy")


def _still(ctx: Context, standings: tuple[GateStanding, ...]) -> tuple[GateStanding, ...]:
    """Ask the gates once more; an override, which is spent by now, counts for the whole step."""
    if any(standing.state is GateState.OVERRIDDEN for standing in standings):
        return standings
    return require_gates(ctx, SUBJECT)


def _work_on_archive(here: Site, name: str, facts: dict[str, Any]) -> None:
    if name in ARCHIVES:
        facts["archive"] = make_archive(here, name).content_hash
    elif not is_proven(here, DRILLS[name]):
        drill(here, DRILLS[name], None)


@contextmanager
def behind_gates(
    here: Site, name: str, consent: Consent, facts: dict[str, Any]
) -> Iterator[tuple[Evidence, tuple[GateStanding, ...]]]:
    """Do a step, or let it be done, in the block: once its gates have passed and it is agreed to.

    Args:
        here: Where.
        name: The step.
        consent: What the operator said.
        facts: For the ledger; what let the step through is added.

    Raises:
        HeldError: A gate is not passed, or the step is not approved.
        RefusedError: A gate failed.
    """
    evidence = _evidence_for(here, name, require_gates(here.ctx, SUBJECT))
    with agreed(here.ctx, here.plan, evidence, here.target, consent) as approval:
        facts["approval"] = approval
        # Not before: an override is spent by the step, not by asking for its approval.
        standings = let_through(here.ctx, SUBJECT)
        facts["gates"] = [standing.entry for standing in standings]
        yield evidence, standings


def _evidence_for(here: Site, name: str, standings: tuple[GateStanding, ...]) -> Evidence:
    """Put what the gates said into the form that the SQL looks for."""
    now = here.ctx.clock.now()
    ends = [(s.good_until - now).total_seconds() for s in standings if s.good_until is not None]
    content = json.dumps([(s.gate, s.spec_hash, s.evidence_hash) for s in standings])
    return Evidence(
        step=name,
        plan_id=here.plan.plan_id,
        plan_hash=here.plan.plan_hash,
        evidence_hash=sha256(content.encode()).hexdigest(),
        seconds=min([*ends, here.ctx.config.remove.evidence_valid_for.total_seconds()]),
    )


@contextmanager
def _recorded(here: Site, action: str, name: str) -> Iterator[dict[str, Any]]:
    ledger = here.ctx.state.ledger
    with ledger.recorded(SUBJECT, f"{action} {name}", plan=here.plan.plan_hash) as facts:
        yield facts
        observe(here)


def observe(here: Site) -> None:
    """Remember how far the database says it is: steps may be applied by other means too."""
    if archives := here.archives():
        note_archives(here.ctx, archives)
    applied = [step for step, state in here.states().items() if state == APPLIED]
    here.ctx.state.checkpoints.put(SUBJECT, APPLIED, applied)
    way_back.note_removal(here.ctx, way_back.closed_by(applied))
