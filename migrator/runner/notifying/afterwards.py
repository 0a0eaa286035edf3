"""Delivers what a command left in the outbox, when the command is done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.runner.context import Context

# How long a command may be held up at its end by receivers that do not answer.
AT_THE_END_S = 3.0


@contextmanager
def delivering(ctx: Context) -> Iterator[None]:
    """Run a block, and afterwards deliver what is due, whatever became of the block."""
    try:
        yield
    finally:
        deliver_soon(ctx)


def deliver_soon(ctx: Context) -> None:
    """Deliver what is due, for three seconds at most; the rest goes on waiting."""
    if not ctx.config.notify.webhooks:
        return
    # An HTTP client takes longer to import than most commands take to run.
    from migrator.runner.notifying.delivering import deliver_within  # noqa: PLC0415

    deliver_within(ctx, AT_THE_END_S)
