"""Everything that a pass reads and writes, opened together and closed with it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.legacy.changes import Changes, open_changes
from migrator.legacy.followed import FollowedTable
from migrator.runner.importing.ends import open_target, page_rows
from migrator.runner.importing.imports import Ends, make_rules, open_ends
from migrator.runner.syncing.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrator.auther.interface import Target
    from migrator.auther.mapping.rules import Rules
    from migrator.core.users import LegacyUser
    from migrator.legacy.devise import DeviseSource
    from migrator.runner.context import Context

# While so many are compared, the next ones are read.
_LOOK_ROWS = 1000
# Each transaction waits for the disk several times. Nobody signs in meanwhile, since a database file on which an
# Auther runs is left alone, and a server takes fewer at once.
_WRITE_ROWS = 2500


@dataclass(frozen=True)
class SyncEnds:
    """Both sides.

    Attributes:
        rows: Users that are looked at, and examined anew before they are written, at once.
        ready_rows: Users of whom it is known what to write, in one transaction.
    """

    legacy: Ends
    changes: Changes
    followed: FollowedTable
    target: Target
    rows: int
    ready_rows: int


@contextmanager
def open_sync_ends(ctx: Context, *, writing: bool) -> Iterator[SyncEnds]:
    """Open both sides.

    Raises:
        UsageError: Nothing was imported yet.
        RefusedError: Auther's tables are of no known version.
        DependencyError: A database cannot be reached, or fails while the block runs.
    """
    settings, dsn = ctx.config.legacy, ctx.reveal(ctx.config.legacy.dsn)
    with ExitStack() as opened:
        ends = opened.enter_context(open_ends(ctx, writing=writing))
        if not ends.identities.exists():
            raise UsageError("nothing was imported yet", hint="migrator import run")
        changes = opened.enter_context(open_changes(dsn, ends.source))
        target = opened.enter_context(open_target(ctx, writing=writing))
        followed = FollowedTable(ends.connection, ends.source.columns, source=settings.model)
        most = page_rows(ctx, target)
        rows, ready_rows = min(_LOOK_ROWS, most), min(_WRITE_ROWS, most)
        yield SyncEnds(ends, changes, followed, target, rows, ready_rows)


class RuleBook:
    """Gives the rules for some users: made out once for all users, or anew for each page."""

    def __init__(self, ctx: Context, ends: SyncEnds, *, for_all: bool) -> None:
        self._ctx = ctx
        self._ends = ends
        self._all = make_rules(ctx, ends.legacy.source) if for_all else None

    def rules_for(self, users: Sequence[LegacyUser]) -> Rules:
        """Give the rules as far as they concern these users."""
        return self._all or make_rules(self._ctx, self._ends.changes.among(users))

    def rules_for_plain(self, emails: Sequence[str]) -> Rules:
        """Give the rules as far as they concern users of whom nothing but the address can be shared."""
        return self._all or make_rules(self._ctx, self._ends.changes.among((), plain=emails))


def note_beginning(ctx: Context, source: DeviseSource) -> None:
    """Remember, before an import reads its first user, from when on changes have to be looked for.

    Raises:
        DependencyError: The application's database failed.
    """
    with open_changes(ctx.reveal(ctx.config.legacy.dsn), source) as changes:
        if changes.can_tell:
            horizon = changes.horizon(unseen_for=ctx.config.sync.unseen_for)
            Standing(ctx).move_watermark(horizon.until - ctx.config.sync.clock_margin)
