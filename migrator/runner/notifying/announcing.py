"""Puts an event into the outbox; delivering it is another step."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import structlog

from migrator.core.errors import MigratorError
from migrator.dashboards.notification import body

if TYPE_CHECKING:
    from migrator.core.events import Event
    from migrator.runner.context import Context

log = structlog.get_logger()


def announce(ctx: Context, event: Event) -> None:
    """Keep an event for everybody who wants to hear of it; never raises, and sends nothing.

    What cannot be kept is lost, with a line in the log: nothing that happens waits for its news.
    """
    wanted = [str(hook.url) for hook in ctx.config.notify.webhooks if event.kind in hook.events]
    if not wanted:
        return
    event_id, at = new_id(), ctx.clock.now()
    content = body(event, migration=ctx.config.migration.name, event_id=event_id, at=at)
    try:
        ctx.state.outbox.add(event_id, content, wanted, at=at)
    except MigratorError as error:
        log.warning("not announced", what=event.title, why=error.message)


def new_id() -> str:
    """Make an event's id."""
    return f"evt_{secrets.token_hex(16)}"
