"""Phase 1: users go into Auther, and out again as long as they have not used it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso
from migrator.core.errors import RefusedError, UsageError
from migrator.core.ids import mark_key
from migrator.runner.canaries import read_canaries
from migrator.runner.importing.ends import (
    open_target,
    open_target_if_any,
    page_rows,
    way_to_auther,
)
from migrator.runner.importing.importer import Importer, Sides
from migrator.runner.importing.imports import (
    SUBJECT,
    Ends,
    as_of,
    forget_choices,
    make_rules,
    open_ends,
    record_choices,
    record_resolutions,
    refuse_late_resolutions,
    refuse_unknown_relations,
)
from migrator.runner.importing.outcome import Outcome, summary
from migrator.runner.importing.pages import plan_pages, write_pages
from migrator.runner.importing.proof import Proof, Prover
from migrator.runner.importing.rejects import Rejects, open_rejects
from migrator.runner.importing.snapshots import take_first_snapshot
from migrator.runner.importing.undecided import Undecided
from migrator.runner.importing.verifying import compare_both_sides
from migrator.runner.importing.withdraw import Withdrawal, Withdrawer
from migrator.runner.standing import Standing
from migrator.runner.syncing.ends import note_beginning
from migrator.runner.syncing.standing import Standing as SyncStanding

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.auther.interface import Target
    from migrator.auther.mapping.rules import Rules
    from migrator.runner.context import Context
    from migrator.runner.importing.reconcile import Reconciliation
    from migrator.state.locks import Lease

NAME = "import"
_RUN = "migrator import run"
_INTERRUPTIBLE = {"run", "rollback", "snapshot", "load", "unload"}


def plan(ctx: Context) -> Outcome:
    """Count what a run would do, reading both sides and writing nothing.

    Raises:
        UsageError: A table, a column or a setting is wrong.
        ConflictError: A setting that shapes rows differs from when the import began.
        DependencyError: A database cannot be read.
    """
    return _planned(ctx, keep=False)[0]


def _planned(ctx: Context, *, keep: bool) -> tuple[Outcome, Rejects]:
    with open_ends(ctx, writing=False) as ends, open_target_if_any(ctx) as target:
        identities = ends.identities if ends.identities.exists() else None
        rules = make_rules(ctx, ends.source)
        rejects = Rejects(None, resolutions=rules.resolutions, keep=keep)
        importer = Importer(Sides(target, identities, rules.source), rules, rejects)
        if target is not None:
            refuse_unknown_relations(target, rules)
        if target is not None and identities is not None:
            refuse_late_resolutions(ctx, ends, target, rules)
        plan_pages(ctx, ends.source, rules, importer)
        return _outcome(ctx, rules, importer, rejects, planned=True), rejects


def resolve(ctx: Context, *, write: bool) -> Undecided:
    """Put what nobody has decided yet into the resolution file, as comments to fill in.

    What a person wrote stays as it is. Killed half-way, the old file is still there.

    Args:
        ctx: The surroundings.
        write: Otherwise the file stays as it is.

    Raises:
        UsageError: The file, a table, a column or a setting is wrong.
        ConflictError: Another runner is at work, or a setting that shapes rows was changed.
        DependencyError: A database cannot be read, or the file cannot be written.
    """
    with ctx.state.locks.held(SUBJECT):
        outcome, rejects = _planned(ctx, keep=True)
        found = Undecided.of(ctx.path(ctx.config.import_.resolutions_file), outcome, rejects)
        if write:
            with ctx.state.ledger.recorded(SUBJECT, "resolve") as facts:
                facts.update(found.for_the_ledger())
                found.write()
    return found


def run(ctx: Context, *, accept_rejects: bool = False) -> Outcome:
    """Import every user; may be killed and run again at any time with the same end state.

    Args:
        ctx: The surroundings.
        accept_rejects: Acknowledge the rejects that the last finished run listed.

    Raises:
        UsageError: A table, a column or a setting is wrong.
        ConflictError: Another runner is at work, or a setting that shapes rows was changed.
        RefusedError: The target is not an Auther database of a known version.
        DependencyError: A database failed; run the same again.
    """
    if accept_rejects:
        _accept_rejects(ctx)
    with ctx.state.locks.held(SUBJECT) as lease, open_ends(ctx, writing=True) as ends:
        _note_target(ctx)
        if ctx.state.checkpoints.get(SUBJECT, "as_of") is None:
            note_beginning(ctx, ends.source)
        record_choices(ctx, ends.source)
        rules = make_rules(ctx, ends.source)
        _close_interrupted(ctx)
        began: dict[str, Any] = {"as_of": iso(as_of(ctx)), "source": rules.source}
        began["resolutions"] = len(rules.resolutions)
        with ctx.state.ledger.recorded(SUBJECT, "run", **began) as facts:
            outcome = _import(ctx, ends, rules, lease)
            facts.update(summary(outcome))
        ctx.state.checkpoints.put(SUBJECT, "last_run", summary(outcome))
        ctx.state.checkpoints.drop(SUBJECT, "position", "verified", "left_behind")
    return outcome


def _close_interrupted(ctx: Context) -> None:
    """Say of work that was killed that it was; we hold the lock, so nobody is at it any more."""
    for entry in ctx.state.ledger.pending():
        if entry.subject == SUBJECT and entry.action in _INTERRUPTIBLE:
            ctx.state.ledger.outcome(entry, result="interrupted")


def _note_target(ctx: Context) -> None:
    """Remember tables that we make: they are ours alone until the import is done."""
    if ctx.state.checkpoints.get(SUBJECT, "created_file") is None:
        created = way_to_auther(ctx).is_absent()
        ctx.state.checkpoints.put(SUBJECT, "created_file", created)


def _import(ctx: Context, ends: Ends, rules: Rules, lease: Lease) -> Outcome:
    settings = ctx.config.import_
    # Only before the first run is done: afterwards somebody may use the file.
    bulk = ctx.state.checkpoints.get(SUBJECT, "created_file") and not _has_run(ctx)
    with (
        open_target(ctx, writing=True, bulk=bool(bulk)) as target,
        open_rejects(ctx.path(settings.rejects_file), resolutions=rules.resolutions) as rejects,
    ):
        if not ctx.state.checkpoints.get(SUBJECT, "created_file"):
            take_first_snapshot(ctx)
        ends.create_tables(ctx.config)
        refuse_late_resolutions(ctx, ends, target, rules)
        record_resolutions(ctx, rules)
        refuse_unknown_relations(target, rules)
        untouched = bool(bulk) and not target.count_users() and not ends.identities.count_all()
        sides = Sides(target, ends.identities, rules.source, untouched)
        importer = Importer(sides, rules, rejects)
        rows = page_rows(ctx, target)
        write_pages(ctx, ends.source, rules, importer, lease, rows=rows)
        if settings.account_index and target.ensure_account_index():
            ctx.state.checkpoints.put(SUBJECT, "created_index", value=True)
        return _outcome(ctx, rules, importer, rejects, planned=False)


def _outcome(
    ctx: Context, rules: Rules, importer: Importer, rejects: Rejects, *, planned: bool
) -> Outcome:
    tally, digest = importer.counts.tally, rejects.digest()
    if not tally.adds_up():
        raise RefusedError(
            f"{tally.read} users were read, but their outcomes do not add up", hint=_RUN
        )
    known = ctx.state.checkpoints.get(SUBJECT, "accepted_rejects")
    return Outcome(
        planned=planned,
        counts=importer.counts,
        as_of=iso(as_of(ctx)),
        derived_ids=rules.derived_ids,
        peppers=rules.peppers,
        rejects_digest=digest,
        rejects_file=ctx.path(ctx.config.import_.rejects_file),
        accepted=tally.rejected.total() == len(rejects.acknowledged) or digest == known,
        acknowledged=len(rejects.acknowledged),
        unmatched=importer.unmatched(),
    )


def _has_run(ctx: Context) -> bool:
    return ctx.state.checkpoints.get(SUBJECT, "last_run") is not None


def _accept_rejects(ctx: Context) -> None:
    last = ctx.state.checkpoints.get(SUBJECT, "last_run")
    if last is None:
        raise UsageError("no run has listed rejects yet, so there are none to accept", hint=_RUN)
    digest, count = last["rejects_digest"], sum(last["rejected"].values())
    ctx.state.ledger.note(SUBJECT, "accept rejects", rejects_digest=digest, rejects=count)
    ctx.state.checkpoints.put(SUBJECT, "accepted_rejects", digest)


def verify(ctx: Context, *, html: Path | None = None) -> Reconciliation:
    """Compare every field of every user and account; a difference counts after two reads.

    Args:
        ctx: The surroundings.
        html: Where a page about it goes, None for none.

    Raises:
        UsageError: Nothing was imported yet.
        DependencyError: A database cannot be read, or a file cannot be written.
    """
    return compare_both_sides(ctx, html=html)


def plan_rollback(ctx: Context) -> Withdrawal:
    """Count whom a rollback would remove and who would stay; changes nothing."""
    with open_ends(ctx, writing=False) as ends, open_target(ctx, writing=False) as target:
        if not ends.identities.exists():
            raise UsageError("nothing was imported, so there is nothing to roll back", hint=_RUN)
        withdrawer = Withdrawer(target, ends.identities, mark=mark_key(ctx.migration_key()))
        return withdrawer.survey(rows=ctx.config.import_.page_rows)


def rollback(ctx: Context, *, except_signed_in: bool = False) -> Withdrawal:
    """Take out of Auther exactly what the import wrote, and forget it.

    Killed at any point, the same command goes on; a claim goes only after its user has gone.

    Args:
        ctx: The surroundings.
        except_signed_in: Leave users who used Auther since; otherwise nothing is removed when
            there are any.

    Raises:
        RefusedError: Users signed in since the import.
        ConflictError: Another runner is at work.
        DependencyError: A database failed; run the same again.
    """
    with ctx.state.locks.held(SUBJECT) as lease, open_ends(ctx, writing=True) as ends:
        if not ends.identities.exists() or way_to_auther(ctx).is_absent():
            return _forget_only(ctx, ends)
        with open_target(ctx, writing=True) as target:
            withdrawer = Withdrawer(target, ends.identities, mark=mark_key(ctx.migration_key()))
            rows = ctx.config.import_.page_rows
            if not except_signed_in:
                _refuse_signed_in(withdrawer.survey(rows=rows))
            _close_interrupted(ctx)
            with ctx.state.ledger.recorded(SUBJECT, "rollback") as facts:
                done = _withdraw(ctx, ends, target, withdrawer, lease)
                facts.update({"removed": done.removed, "absent": done.absent, "kept": done.kept})
        if done.kept:
            ctx.state.checkpoints.put(SUBJECT, "left_behind", done.kept)
        else:
            _forget(ctx, ends)
    return done


def _refuse_signed_in(found: Withdrawal) -> None:
    if found.kept:
        listed = "\n".join(f"  user {trace.pk}: {', '.join(trace.signs)}" for trace in found.shown)
        raise RefusedError(
            f"nothing was removed: {found.kept} of the users have used Auther since:\n{listed}",
            hint="to remove all others: migrator import rollback --except-signed-in",
        )


def _withdraw(
    ctx: Context, ends: Ends, target: Target, withdrawer: Withdrawer, lease: Lease
) -> Withdrawal:
    # Without it each deleted user costs a scan of all accounts.
    if target.ensure_account_index():
        ctx.state.checkpoints.put(SUBJECT, "created_index", value=True)
    total = ends.identities.count()
    with ctx.progress.task("Removing imported users", total=total) as task:
        done = withdrawer.remove(
            rows=page_rows(ctx, target),
            before_page=lambda: ctx.state.locks.check(lease),
            advance=task.advance,
        )
    ends.identities.unlink()
    if not done.kept and ctx.state.checkpoints.get(SUBJECT, "created_index"):
        target.drop_account_index()
    return done


def _forget_only(ctx: Context, ends: Ends) -> Withdrawal:
    """Finish a rollback that was killed after its last user."""
    if ctx.state.checkpoints.get(SUBJECT, "as_of") is None:
        raise UsageError("nothing was imported, so there is nothing to roll back", hint=_RUN)
    _close_interrupted(ctx)
    forget_choices(ctx, ends.source)
    SyncStanding(ctx).forget()
    return Withdrawal()


def _forget(ctx: Context, ends: Ends) -> None:
    """Begin anew; the application's tables go too, unless shims read them already."""
    if ctx.state.checkpoints.get("stage", "document") is None:
        ends.identities.drop_when_empty()
    forget_choices(ctx, ends.source)
    SyncStanding(ctx).forget()


def prove(ctx: Context, file: Path, *, email_column: str, password_column: str) -> list[Proof]:
    """Check known passwords against what Auther holds.

    Args:
        ctx: The surroundings.
        file: CSV in UTF-8 with a heading.
        email_column: Heading of the column with addresses.
        password_column: Heading of the column with passwords.

    Raises:
        UsageError: The file lacks a column, or a pepper is missing.
        DependencyError: A database cannot be read.
    """
    canaries = read_canaries(file, email_column=email_column, password_column=password_column)
    peppers = {p.id: ctx.reveal(p.value).encode() for p in ctx.config.legacy.peppers}
    now_ms = round(ctx.clock.now().timestamp() * 1000)
    with open_ends(ctx, writing=False) as ends, open_target(ctx, writing=False) as target:
        identities = ends.identities if ends.identities.exists() else None
        proofs = Prover(target, identities, peppers, now_ms=now_ms).prove(canaries)
    failed = sum(not proof.signs_in for proof in proofs)
    ctx.state.ledger.note(SUBJECT, "prove", canaries=len(proofs), failed=failed)
    return proofs


def standing(ctx: Context) -> Standing:
    """Say where the import stands, from the state alone."""
    last = ctx.state.checkpoints.get(SUBJECT, "last_run")
    position = ctx.state.checkpoints.get(SUBJECT, "position")
    if position is not None:
        said = f"interrupted at {position['read']:,} of about {position['of_about']:,} users"
        return Standing(said, next_command=_RUN)
    if last is None:
        return Standing("not begun", next_command="migrator import plan")
    left = ctx.state.checkpoints.get(SUBJECT, "left_behind")
    if left is not None:
        said = f"rolled back, but for {left:,} users who used Auther"
        return Standing(said, next_command="migrator import plan")
    there = last["imported"] + last["already_there"]
    said = f"{there:,} of {last['read']:,} users are at Auther"
    rejects = sum(last["rejected"].values()) - last.get("acknowledged", 0)
    if rejects and last["rejects_digest"] != ctx.state.checkpoints.get(
        SUBJECT, "accepted_rejects"
    ):
        unaccepted = f"{rejects} rejects in {ctx.config.import_.rejects_file} are not accepted"
        return Standing(said, (unaccepted,), f"{_RUN} --accept-rejects")
    verified = ctx.state.checkpoints.get(SUBJECT, "verified")
    if not verified:
        differs = "the last comparison found differences"
        held = (differs,) if verified is False else ()
        return Standing(said, held, "migrator import verify")
    return Standing(f"{said}, every field compared")
