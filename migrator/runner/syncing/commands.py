"""What `migrator import sync` does: one pass, or passes until somebody ends them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.metrics.sync_check import SUBJECT
from migrator.runner.importing.imports import SUBJECT as IMPORT
from migrator.runner.syncing.passes import PassReport, Wish, run_pass
from migrator.runner.syncing.watch import watch_passes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrator.runner.context import Context
    from migrator.runner.interruption import Interruption
    from migrator.state.locks import Lease


def sync(ctx: Context, wish: Wish) -> PassReport:
    """Make one pass; killed at any point, the same command ends in the same state.

    Raises:
        UsageError: Nothing was imported yet, or a brake holds another set than the released one.
        ConflictError: Another runner is at work, or a setting that shapes rows was changed.
        HeldError: A brake holds; nothing was written.
        DependencyError: A database failed; run the same again.
    """
    if wish.dry_run:
        return run_pass(ctx, wish)
    with _only_runner(ctx) as lease:
        return run_pass(ctx, wish, lease)


def watch(
    ctx: Context, wish: Wish, *, interruption: Interruption, show: Callable[[PassReport], None]
) -> PassReport | None:
    """Make passes until the end is asked for.

    Args:
        ctx: The surroundings.
        wish: Of the first pass.
        interruption: Says when to end.
        show: Gets every finished pass.

    Raises:
        ConflictError: Another runner is at work, or a setting that shapes rows was changed.
        HeldError: A brake holds; nothing was written in that pass.
    """
    with _only_runner(ctx) as lease:
        return watch_passes(ctx, wish, lease, interruption=interruption, show=show)


@contextmanager
def _only_runner(ctx: Context) -> Iterator[Lease]:
    """Hold the import's lock, and say of a pass that was killed that it was."""
    with ctx.state.locks.held(IMPORT) as lease:
        for entry in ctx.state.ledger.pending():
            if entry.subject == SUBJECT:
                ctx.state.ledger.outcome(entry, result="interrupted")
        yield lease
