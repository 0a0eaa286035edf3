"""Users whom somebody changed at Auther, and whose change is not in the application yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.metrics.last_pass import LAST_PASS
from migrator.runner.writing_back.passing import SUBJECT, beginning
from migrator.runner.writing_back.sides import open_feed, open_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.auther.plugin.events import Event, EventFeed
    from migrator.runner.context import Context
    from migrator.runner.writing_back.applying import Tables

HELD = "held"
# What the sync could overwrite or undo.
_KINDS = frozenset({"password", "email", "ban", "unban", "delete"})


def unsettled_users(ctx: Context) -> frozenset[str]:
    """Give their ids at Auther; nobody's while nothing was ever written back.

    Changes of the last second are not among them: Auther holds those back.

    Raises:
        UsageError: A setting or a secret of the write-back is missing.
        RefusedError: Auther gives no changes out.
        DependencyError: A side does not answer.
    """
    if ctx.state.checkpoints.get(SUBJECT, LAST_PASS) is None:
        return frozenset()
    with open_tables(ctx, writing=False) as tables, open_feed(ctx) as feed:
        held = tables.log.held_users()
        after = beginning(ctx.state.checkpoints)
        return held | {event.user_id for event in _open(feed, tables, after)}


def _open(feed: EventFeed, tables: Tables, after: str) -> Iterator[Event]:
    while True:
        page = feed.read(after)
        found = [event for event in page.found if event.kind in _KINDS]
        states = tables.log.states_of([event.id for event in found]) if found else {}
        yield from (event for event in found if states.get(event.id, HELD) == HELD)
        if page.cursor <= after:
            return
        after = page.cursor
