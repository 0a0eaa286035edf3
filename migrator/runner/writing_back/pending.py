"""Who could not sign in at the application after a rollback, and why: asked before, not after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from migrator.core.clock import iso
from migrator.core.errors import MigratorError
from migrator.runner.writing_back.outcome import MEANING, Outcome, State, said_of_lost
from migrator.runner.writing_back.passing import CURSOR, SUBJECT
from migrator.runner.writing_back.sides import is_legacy, open_feed, open_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.legacy.written_back import OpenChange
    from migrator.runner.context import Context

T = TypeVar("T")
SHOWN = 50
COUNT_PAGES = 20


@dataclass(frozen=True)
class Shown:
    """One change that is open.

    Attributes:
        user: The legacy key, or the id at Auther of somebody without a row.
        email: In full; masked where it is shown. None without a row.
    """

    user: str
    email: str | None
    kind: str
    at: str
    outcome: str
    state: str
    why: str


@dataclass(frozen=True)
class Unread:
    """What Auther has and the write-back has not read yet.

    Attributes:
        events: At least so many.
        lag: How old the oldest of them is.
        by_kind: The same, by what changed.
        without_password: Passwords among them that come without a sealed value.
        lost: Changes that Auther could not write down since it was started, so that they never come.
    """

    events: int
    lag: timedelta
    by_kind: dict[str, int] = field(default_factory=dict)
    without_password: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Pending:
    """What stands between a rollback and everybody signing in.

    Attributes:
        users: People of whom something is open; None when the application's database does not say.
        shown: The first of it.
        unread: None when Auther does not say.
        homes: In stage `legacy`, users whose home is still to go back.
        unknown: Why something is not known.
    """

    users: int | None
    shown: tuple[Shown, ...]
    unread: Unread | None
    homes: int
    unknown: tuple[str, ...] = ()

    @property
    def clear(self) -> bool:
        """Tell whether a rollback would hurt nobody, as far as everything is known."""
        read = self.unread is not None and not self.unread.events
        return self.users == 0 and read and not self.homes and not self.unknown


def look(ctx: Context) -> Pending:
    """Ask both sides; a side that does not answer is named, not an error."""
    unknown: list[str] = []
    found = _or_why(lambda: _open(ctx), unknown)
    unread = _or_why(lambda: _unread(ctx), unknown)
    if unread is not None and unread.lost:
        unknown.append(said_of_lost(unread.lost))
    users, shown, homes = found or (None, (), 0)
    return Pending(users, shown, unread, homes, tuple(unknown))


def _or_why(ask: Callable[[], T], unknown: list[str]) -> T | None:
    try:
        return ask()
    except MigratorError as error:
        unknown.append(error.message)
        return None


def _open(ctx: Context) -> tuple[int, tuple[Shown, ...], int]:
    with open_tables(ctx, writing=False) as tables:
        if not tables.log.exists():
            return 0, (), 0
        found = tables.log.open(rows=SHOWN)
        emails = tables.users.emails([row.pk for row in found if row.pk is not None])
        shown = tuple(_shown(row, emails.get(row.pk or "")) for row in found)
        homes = tables.log.homes_away() if is_legacy(ctx) else 0
        return tables.log.count_open(), shown, homes


def _shown(row: OpenChange, email: str | None) -> Shown:
    outcome = Outcome(row.outcome)
    why = "Auther has not been told yet" if row.state == State.DONE else MEANING.get(outcome, "")
    return Shown(
        user=row.pk or row.auther_id,
        email=email,
        kind=row.kind,
        at=iso(row.at),
        outcome=row.outcome,
        state=row.state,
        why=f"{why}: {row.detail}" if row.detail else why,
    )


def _unread(ctx: Context) -> Unread:
    """Count what follows the cursor, up to a bound."""
    after = str(ctx.state.checkpoints.get(SUBJECT, CURSOR) or "")
    events, oldest_ms, now_ms, missing, lost = 0, 0, 0, 0, 0
    kinds: Counter[str] = Counter()
    with open_feed(ctx) as feed:
        for _ in range(COUNT_PAGES):
            page = feed.read(after)
            fresh = [event for event in page.found if not event.acknowledged]
            oldest_ms = oldest_ms or (fresh[0].at_ms if fresh else 0)
            events, now_ms, lost = events + len(fresh), page.now_ms, page.lost
            kinds.update(event.kind for event in fresh)
            missing += sum(e.kind == "password" and e.sealed is None for e in fresh)
            if page.cursor <= after:
                break
            after = page.cursor
    lag_ms = max(0, now_ms - oldest_ms) if oldest_ms else 0
    return Unread(events, timedelta(milliseconds=lag_ms), dict(kinds), missing, lost)
