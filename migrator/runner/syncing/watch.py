"""Passes, one after the other, until somebody ends it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.core.errors import DependencyError
from migrator.runner.syncing.passes import Wish, run_pass
from migrator.runner.syncing.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.runner.context import Context
    from migrator.runner.interruption import Interruption
    from migrator.runner.syncing.passes import PassReport
    from migrator.state.locks import Lease

LONGEST_PAUSE_S = 60.0


def watch_passes(
    ctx: Context,
    wish: Wish,
    lease: Lease,
    *,
    interruption: Interruption,
    show: Callable[[PassReport], None],
) -> PassReport | None:
    """Make passes every `[sync] interval`, and a full one every `[sync] sweep_every`.

    A database that fails ends its pass only; the next one comes after a pause that grows up to a
    minute.

    Args:
        ctx: The surroundings.
        wish: Of the first pass.
        lease: Of the import's lock.
        interruption: Says when to end.
        show: Gets every finished pass.

    Returns:
        The last finished pass.

    Raises:
        HeldError: A brake holds; nothing was written in that pass.
        ConflictError: Another runner took the lock over.
    """
    last, failures = None, 0
    while not interruption.requested:
        began = ctx.clock.now()
        try:
            last = run_pass(ctx, replace(wish, full=wish.full or _is_due(ctx)), lease)
        except DependencyError as error:
            failures += 1
            ctx.progress.say(f"{error.message}; trying again")
        else:
            wish, failures = Wish(), 0
            show(last)
        following = began + ctx.config.sync.interval
        pause_s = max((following - ctx.clock.now()).total_seconds(), 0.0)
        interruption.wait(ctx.clock, max(pause_s, _backoff_s(failures)))
    return last


def _backoff_s(failures: int) -> float:
    return min(2.0 ** (failures - 1), LONGEST_PAUSE_S) if failures else 0.0


def _is_due(ctx: Context) -> bool:
    swept_at = Standing(ctx).swept_at
    return swept_at is None or ctx.clock.now() - swept_at >= ctx.config.sync.sweep_every
