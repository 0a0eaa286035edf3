"""The write-back as a command: once, or for as long as it is let."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso, parse_iso
from migrator.core.durations import format_duration
from migrator.core.errors import DependencyError, RefusedError
from migrator.metrics.last_pass import LAST_PASS
from migrator.runner.writing_back.passing import SUBJECT, Passed, Passer
from migrator.runner.writing_back.ringing import remember
from migrator.runner.writing_back.sides import is_legacy, make_applier, open_feed, open_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrator.auther.webhook.receiver import Receiver
    from migrator.runner.context import Context
    from migrator.runner.interruption import Interruption
    from migrator.runner.writing_back.outcome import Outcome
    from migrator.state.locks import Lease

RUN, WATCH = "run", "watch"
POLL_S = 2.0
LONGEST_WAIT_S = 60.0
RETRY_EVERY = timedelta(seconds=30)
NOTE_EVERY = timedelta(minutes=10)


@dataclass
class Total:
    """What came of a command.

    Attributes:
        outcomes: Of the changes that it looked at; one that was tried twice counts twice.
        open_users: People of whom something is open now.
        lost: Changes that Auther could not write down since it was started.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    moved_back: int = 0
    open_users: int = 0
    lost: int = 0

    def add(self, passed: Passed) -> None:
        """Count a pass."""
        self.outcomes += passed.outcomes
        self.moved_back += passed.moved_back
        self.lost = passed.lost

    def facts(self) -> dict[str, Any]:
        """Give what the ledger keeps: numbers only."""
        return {
            "outcomes": {str(outcome): n for outcome, n in sorted(self.outcomes.items())},
            "moved_back": self.moved_back,
            "open_users": self.open_users,
            "lost": self.lost,
        }


def run(ctx: Context) -> Total:
    """Write everything that changed at Auther into the application, once.

    Killed at any point, the same command goes on: nothing is written twice, nothing is left out.

    Raises:
        UsageError: A setting, a secret or a column is missing.
        RefusedError: Our role may not write the users table, or Auther gives no changes out.
        ConflictError: Another runner is at work.
        DependencyError: A side does not answer; run the same again.
    """
    total = Total()
    with _recorded(ctx) as (lease, facts):
        _pass(ctx, lease, total, retry=True)
        facts.update(total.facts())
    return total


def watch(
    ctx: Context,
    *,
    interruption: Interruption,
    show: Callable[[Passed, Total], None],
    bell: Receiver | None = None,
) -> Total:
    """Go on writing, a pass every two seconds, until the end is asked for.

    A side that is away is waited for, longer each time up to a minute.

    Args:
        ctx: The surroundings.
        interruption: Says when to end.
        show: Called after each pass.
        bell: Ends a pause when Auther tells that something happened.

    Raises:
        UsageError: As `run`; so are the others but DependencyError.
    """
    total = Total()
    with _recorded(ctx) as (lease, facts):
        try:
            _Watch(ctx, lease, total, bell).passes(interruption, show)
        finally:
            facts.update(total.facts())
    return total


class _Watch:
    """Passes one after the other, with their pauses."""

    def __init__(self, ctx: Context, lease: Lease, total: Total, bell: Receiver | None) -> None:
        self._ctx = ctx
        self._bell = bell
        self._heard: Counter[str] = Counter()
        self._lease = lease
        self._total = total
        self._retry_at = ctx.clock.now()
        self._note_at = ctx.clock.now() + NOTE_EVERY
        self._noted: Counter[Outcome] = Counter()

    def passes(self, interruption: Interruption, show: Callable[[Passed, Total], None]) -> None:
        wait_s, has_passed = POLL_S, False
        while not interruption.requested:
            try:
                show(self._pass(), self._total)
                wait_s, has_passed = POLL_S, True
            except (DependencyError, RefusedError) as error:
                # What worked once and is refused now is being deployed anew.
                if isinstance(error, RefusedError) and not has_passed:
                    raise
                self._ctx.progress.say(f"{error.message}; trying again in {wait_s:.0f} s")
            self._remember_deliveries()
            interruption.wait(self._bell or self._ctx.clock, wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _remember_deliveries(self) -> None:
        heard = self._bell.heard() if self._bell else None
        if heard and heard.results != self._heard:
            remember(self._ctx, heard)
            self._heard = heard.results

    def _pass(self) -> Passed:
        now = self._ctx.clock.now()
        retry = now >= self._retry_at
        passed = _pass(self._ctx, self._lease, self._total, retry=retry)
        if retry:
            self._retry_at = now + RETRY_EVERY
        if now >= self._note_at and self._noted != self._total.outcomes:
            self._ctx.state.ledger.note(SUBJECT, WATCH, **self._total.facts())
            self._note_at, self._noted = now + NOTE_EVERY, Counter(self._total.outcomes)
        return passed


@contextmanager
def _recorded(ctx: Context) -> Iterator[tuple[Lease, dict[str, Any]]]:
    with ctx.state.locks.held(SUBJECT) as lease:
        for entry in ctx.state.ledger.pending():
            if entry.subject == SUBJECT:
                ctx.state.ledger.outcome(entry, result="interrupted")
        with ctx.state.ledger.recorded(SUBJECT, RUN) as facts:
            yield lease, facts


def _pass(ctx: Context, lease: Lease, total: Total, *, retry: bool) -> Passed:
    began = ctx.clock.now()
    with open_tables(ctx, writing=True) as tables, open_feed(ctx) as feed:
        passer = Passer(
            feed,
            tables,
            make_applier(ctx, tables),
            checkpoints=ctx.state.checkpoints,
            check=lambda: ctx.state.locks.check(lease),
        )
        passed = passer.run(retry=retry, homes=is_legacy(ctx))
        total.add(passed)
        total.open_users = tables.log.count_open()
        # Nobody here knows whose the lost ones are: each may be somebody's password.
        hurt = total.open_users + total.lost
        _remember(ctx, began, tables.log.oldest_held(), hurt)
    return passed


def _remember(ctx: Context, began: datetime, oldest: datetime | None, open_users: int) -> None:
    """Keep how far behind we are, for whoever measures it: what was there when the pass began is written."""
    held_s = 0.0 if oldest is None else max(0.0, (began - oldest).total_seconds())
    found = {"at": iso(began), "lag_seconds": held_s, "open_users": open_users}
    ctx.state.checkpoints.put(SUBJECT, LAST_PASS, found)


def describe(ctx: Context) -> dict[str, Any] | None:
    """Say where the write-back stands, from the state alone; None when it never ran."""
    found = ctx.state.checkpoints.get(SUBJECT, LAST_PASS)
    if found is None:
        return None
    age = ctx.clock.now() - parse_iso(found["at"])
    words = f"write-back: {found['lag_seconds']:,.0f} s behind, looked {format_duration(age)} ago"
    if found["open_users"]:
        words += f"; {found['open_users']:,} people could not go back"
    return {**found, "words": words}
