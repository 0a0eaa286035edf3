"""What is done with archives between the steps: proving them, and erasing single rows."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.approval import Matter
from migrator.core.errors import HeldError
from migrator.legacy.removals import open_removal
from migrator.runner.approving import approved
from migrator.runner.removing.archives import archived, opening_of
from migrator.runner.removing.drilling import drill, prove_recorded
from migrator.runner.removing.erasing import erase
from migrator.runner.removing.plans import SUBJECT, kept_plan
from migrator.runner.removing.receipt import note_archives
from migrator.runner.removing.restoring import find_archives
from migrator.runner.removing.site import address, holder_of, lock_wait_s, site
from migrator.runner.removing.wishes import foresee

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.config.secrets import SecretRef
    from migrator.runner.context import Context
    from migrator.runner.removing.drilling import Proven
    from migrator.runner.removing.erasing import Erased
    from migrator.runner.removing.wishes import Wish
from migrator.runner.removing.site import Site


def drill_all(ctx: Context, *, identity: SecretRef | None) -> tuple[Proven, ...]:
    """Prove every archive that was made, on the machine that made them.

    Raises:
        HeldError: There is no archive yet, or no private key.
        RefusedError: An archive is not what the database knows, or does not hold what was archived.
        DependencyError: Disk or database failed.
    """
    made = kept_plan(ctx)
    with site(ctx, made, read_only=False) as here:
        steps = _archived_steps(here)
        if not steps:
            raise HeldError("there is no archive yet", hint="migrator remove apply")
        with ctx.state.ledger.recorded(SUBJECT, "drill", plan=made.plan_hash) as facts:
            proven = tuple(p for step in steps for p in drill(here, step, identity))
            facts["tables"] = {table.table: table.sha256 for table in proven}
        note_archives(ctx, here.archives())
    return proven


def drill_elsewhere(
    ctx: Context, folder: Path, *, identity: SecretRef | None, into: SecretRef | None
) -> tuple[Proven, ...]:
    """Prove archives on a machine that has their files and the private key, but neither plan nor state.

    Args:
        ctx: With the application's database, where the proof is recorded.
        folder: An archive's, or that of several.
        identity: The private key; that of the configuration when None.
        into: Another database to restore into; the application's own when None.

    Raises:
        HeldError: There is no private key.
        RefusedError: An archive is not what the database knows, or does not hold what was archived.
        DependencyError: Disk or database failed.
    """
    archives = find_archives(folder)
    dsn = address(ctx)
    with ExitStack() as stack:
        own, *others = (
            stack.enter_context(
                open_removal(each, doing="the drill", read_only=False, wait_s=lock_wait_s(ctx))
            )
            for each in (dsn, *([ctx.reveal(into)] if into else []))
        )
        there = others[0] if others else own
        return tuple(
            proven
            for archive in archives
            for proven in prove_recorded(
                own.guard,
                archive.folder,
                archive.manifest,
                opening_of(ctx, archive.manifest, identity),
                into=there,
                progress=ctx.progress,
            )
        )


def erase_rows(ctx: Context, wish: Wish, *, reason: str = "", confirmation: str = "") -> Erased:
    """Erase rows, once that is approved.

    Raises:
        UsageError: The plan has no such table or column, or a value is none of its type.
        HeldError: It cannot be done as things stand, or is not approved yet.
        RefusedError: Rows were changed since the archive.
        ConflictError: Another operator is at work.
        DependencyError: Disk or database failed.
    """
    made = kept_plan(ctx)
    with site(ctx, made, read_only=False) as here:
        # First: nobody is asked to approve what is refused then.
        matter = _matter(made.plan_hash, wish, foresee(here, wish))
        with (
            approved(ctx, matter, reason=reason, confirmation=confirmation),
            ctx.state.locks.held(SUBJECT),
            ctx.state.ledger.recorded(
                SUBJECT, "erase", plan=made.plan_hash, table=wish.table
            ) as facts,
            # After the last step there is no guard schema, and nothing in the database to be erased.
            here.guard.leased(holder_of(ctx)) if here.guard.plan_id() else nullcontext(),
        ):
            done = erase(here, wish)
            facts.update(where=done.where, rows=done.rows, files=list(done.files))
            facts["archives"] = {a.name: a.manifest_sha256 for a in here.archives()}
            if done.needs_drill and _may_open(ctx):
                drill(here, done.needs_drill, None)
                done = replace(done, needs_drill="")
            note_archives(ctx, here.archives())
    return done


def _may_open(ctx: Context) -> bool:
    archive = ctx.config.remove.archive
    return archive.identity is not None or not archive.encrypt


def _archived_steps(here: Site) -> tuple[str, ...]:
    if here.guard.plan_id() is None:
        return ()
    return tuple(
        step
        for step in here.plan.archive_steps
        if (known := archived(here, here.plan.archive(step).tables[0].name))
        and known.manifest_sha256
    )


def _matter(plan_hash: str, wish: Wish, along: tuple[str, ...]) -> Matter:
    """Say what is asked for, and what goes along; the request names nobody, its hash is over the values."""
    values = "\0".join([wish.table, wish.column, *wish.values])
    return Matter(
        purpose=f"remove erase {wish.table}",
        name=wish.table,
        words=(
            f"erase {len(wish.values)} rows of {wish.table} from quarantine and archive",
            *along,
        ),
        bound_to={
            "plan": plan_hash,
            "values": sha256(values.encode()).hexdigest(),
            "along": sha256("\n".join(along).encode()).hexdigest(),
        },
    )
