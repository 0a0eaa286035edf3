"""A person acknowledges, by the list's hash, who loses access when the legacy path ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import RefusedError
from migrator.metrics.pinned_users import Pinned, PinnedUsers

if TYPE_CHECKING:
    from migrator.runner.context import Context

SUBJECT, ACTION = "acknowledged", "pinned users"


@dataclass(frozen=True)
class Acknowledged:
    """The list, and whether it is the acknowledged one."""

    pinned: Pinned
    known: bool


def pinned_users(ctx: Context) -> PinnedUsers:
    """Give the source of the list; what was acknowledged of another model's users says nothing."""
    model = ctx.config.legacy.model
    notes = (e.body for e in ctx.state.ledger.entries(subject=SUBJECT) if e.action == ACTION)
    mine = [str(body["list_hash"]) for body in notes if body.get("model") == model]
    return PinnedUsers(
        dsn=ctx.config.legacy.dsn,
        root=ctx.root,
        source=model,
        acknowledged=mine[-1] if mine else "",
        timeout=ctx.config.drain.statement_timeout,
        clock=ctx.clock,
    )


def pinned_list(ctx: Context, *, rows: int) -> Acknowledged:
    """Read who would lose access; changes nothing.

    Raises:
        DependencyError: The database failed.
    """
    source = pinned_users(ctx)
    found = source.read(rows=rows)
    return Acknowledged(found, not found.users or found.list_hash == source.acknowledged)


def acknowledge(ctx: Context, list_hash: str) -> Acknowledged:
    """Write down that these people lose access, and that somebody knows it.

    Args:
        ctx: The surroundings.
        list_hash: Of the list that was shown.

    Raises:
        RefusedError: The list is another one by now.
        DependencyError: The database failed.
    """
    found = pinned_list(ctx, rows=0).pinned
    if found.list_hash != list_hash:
        raise RefusedError(
            f"the list is another one now: {found.users} users, {found.list_hash}",
            hint="look at it again: migrator gate acknowledge",
        )
    model = ctx.config.legacy.model
    ctx.state.ledger.note(SUBJECT, ACTION, model=model, list_hash=list_hash, users=found.users)
    return Acknowledged(found, known=True)
