"""What is done with archives between the steps: proving them, and erasing single rows."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.approval import Matter
from migrator.core.errors import HeldError
from migrator.runner.approving import approved
from migrator.runner.removing.archives import archived
from migrator.runner.removing.drilling import drill
from migrator.runner.removing.erasing import erase
from migrator.runner.removing.plans import SUBJECT, kept_plan
from migrator.runner.removing.receipt import note_archives
from migrator.runner.removing.site import holder_of, site

if TYPE_CHECKING:
    from migrator.config.secrets import SecretRef
    from migrator.runner.context import Context
    from migrator.runner.removing.drilling import Proven
    from migrator.runner.removing.erasing import Erased, Wish
    from migrator.runner.removing.site import Site


def drill_all(
    ctx: Context, *, identity: SecretRef | None, into: SecretRef | None
) -> tuple[Proven, ...]:
    """Prove every archive that was made, on whatever machine has its files and the private key.

    Raises:
        HeldError: There is no archive yet, or no private key.
        RefusedError: An archive is not what the database knows, or does not hold what was archived.
        ConflictError: Another operator is at work.
        DependencyError: Disk or database failed.
    """
    made = kept_plan(ctx)
    with ctx.state.locks.held(SUBJECT), site(ctx, made, read_only=False) as here:
        steps = _archived_steps(here)
        if not steps:
            raise HeldError("there is no archive yet", hint="migrator remove apply")
        with (
            ctx.state.ledger.recorded(SUBJECT, "drill", plan=made.plan_hash) as facts,
            here.guard.leased(holder_of(ctx)),
        ):
            proven = tuple(p for step in steps for p in drill(here, step, identity, into=into))
            facts["tables"] = {table.table: table.sha256 for table in proven}
        note_archives(ctx, here.archives())
    return proven


def erase_rows(ctx: Context, wish: Wish, *, reason: str = "", confirmation: str = "") -> Erased:
    """Erase rows, once that is approved.

    Raises:
        UsageError: The plan has no such table or column.
        HeldError: It is not approved yet.
        RefusedError: Rows were changed since the archive.
        ConflictError: Another operator is at work.
        DependencyError: Disk or database failed.
    """
    made = kept_plan(ctx)
    matter = _matter(made.plan_hash, wish)
    with (
        approved(ctx, matter, reason=reason, confirmation=confirmation),
        ctx.state.locks.held(SUBJECT),
        site(ctx, made, read_only=False) as here,
        ctx.state.ledger.recorded(
            SUBJECT, "erase", plan=made.plan_hash, table=wish.table
        ) as facts,
        here.guard.leased(holder_of(ctx)),
    ):
        done = erase(here, wish)
        facts.update(where=done.where, rows=done.rows, files=list(done.files))
        note_archives(ctx, here.archives())
    return done


def _archived_steps(here: Site) -> tuple[str, ...]:
    if here.guard.plan_id() is None:
        return ()
    return tuple(
        step
        for step in here.plan.archive_steps
        if (known := archived(here, here.plan.archive(step).tables[0].name))
        and known.manifest_sha256
    )


def _matter(plan_hash: str, wish: Wish) -> Matter:
    """Say what is asked for; the request names nobody, its hash is over the values."""
    values = sha256("\0".join([wish.table, wish.column, *wish.values]).encode()).hexdigest()
    return Matter(
        purpose=f"remove erase {wish.table}",
        name=wish.table,
        words=(f"erase {len(wish.values)} rows of {wish.table} from quarantine and archive",),
        bound_to={"plan": plan_hash, "values": values},
    )
