"""Who a rollback would hurt: asked before it, within five seconds, and never in its way."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.redact import mask_email
from migrator.runner.switching.fleet import HURT_TIMEOUT, moved_users
from migrator.runner.writing_back.pending import Pending, look

if TYPE_CHECKING:
    from migrator.runner.context import Context

LISTED = 10


@dataclass
class Hurt:
    """What is known about people whom a rollback concerns; None is unknown.

    Attributes:
        moved_users: People whose password is at Auther.
        pending: Those among them who could not sign in as usual afterwards, and why.
    """

    moved_users: int | None = None
    pending: Pending | None = None

    def lines(self) -> tuple[str, ...]:
        """Say it to people, addresses masked."""
        found = self.pending
        users = None if found is None else found.users
        unread = found.unread.events if found is not None and found.unread is not None else None
        head = (
            f"people whose password is at Auther by now: {_said(self.moved_users)}",
            f"of them could not sign in as usual after the rollback: {_said(users)}",
            f"changes at Auther that nobody has read yet: {_said(unread)}",
        )
        doubts = tuple(f"  not known: {why}" for why in found.unknown) if found is not None else ()
        shown = found.shown if found is not None else ()
        rows = tuple(f"  user {r.user} ({mask_email(r.email)}): {r.why}" for r in shown[:LISTED])
        more = ("  all of them: migrator import write-back --pending",) if rows else ()
        return (*head, *doubts, *rows, *more)


def who_is_hurt(ctx: Context) -> Hurt:
    """Ask both sides; what has not answered in time stays unknown."""
    hurt = Hurt()
    asked = threading.Thread(target=_ask, args=(ctx, hurt), daemon=True)
    asked.start()
    asked.join(HURT_TIMEOUT.total_seconds())
    return Hurt(hurt.moved_users, hurt.pending)


def _ask(ctx: Context, hurt: Hurt) -> None:
    hurt.moved_users = moved_users(ctx)
    hurt.pending = look(ctx)


def _said(number: int | None) -> str:
    return "unknown" if number is None else str(number)
