"""Auther's end of the import, opened in the way that the configuration names."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.auther.ways.calling import Patience
from migrator.auther.ways.targets import way_into

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from migrator.auther.interface import Target, Way
    from migrator.runner.context import Context


def way_to_auther(ctx: Context, *, patience: Patience | None = None) -> Way:
    """Find the way into Auther; opens nothing yet.

    Args:
        ctx: The surroundings.
        patience: How long a server that is away is waited for, when not as usual.

    Raises:
        UsageError: A secret or an address that it needs is missing.
    """
    return way_into(ctx.config, root=ctx.root, patience=patience or Patience())


def open_target(
    ctx: Context, *, writing: bool, bulk: bool = False, briefly: bool = False
) -> AbstractContextManager[Target]:
    """Open Auther.

    Args:
        ctx: The surroundings.
        writing: Otherwise nothing can be written.
        bulk: Nobody uses it yet, and it is this migration's own.
        briefly: A row or two are written, which Auther can bear while it runs on a file.

    Raises:
        UsageError: There is none, and nothing is going to be written; or a setting is missing.
        RefusedError: The tables are of no known version of better-auth, or Auther runs on the file.
        DependencyError: It cannot be reached, or fails while the block runs.
    """
    way = way_to_auther(ctx)
    if writing and not briefly:
        way.refuse_in_use()
    return way.opened(writing=writing, bulk=bulk)


@contextmanager
def open_target_if_any(ctx: Context) -> Iterator[Target | None]:
    """Open Auther for reading; None while it has no tables yet."""
    way = way_to_auther(ctx)
    if way.is_absent():
        yield None
        return
    with way.opened(writing=False) as target:
        yield target


def page_rows(ctx: Context, target: Target) -> int:
    """Give the users a page: what is configured, at most what this way takes at once."""
    return min(ctx.config.import_.page_rows, target.page_rows)
