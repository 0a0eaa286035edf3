"""One pass: everything that changed at Auther since the last one, and what was left open then."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.auther.plugin.events import PAGE_ROWS, cursor_at, time_of
from migrator.runner.writing_back.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from migrator.auther.plugin.events import Event, EventFeed
    from migrator.runner.writing_back.applying import Applier, Tables
    from migrator.state.checkpoints import Checkpoints

SUBJECT = "write-back"
CURSOR = "cursor"
HOMES_ROWS = 1000
# A slow transaction at Auther may commit an event behind the cursor; ids are known by then.
OVERLAP_MS = 120_000


@dataclass
class Passed:
    """What one pass did.

    Attributes:
        outcomes: Of the changes that it looked at, tried-again ones included.
        moved_back: Users at home in the application again (stage `legacy` only).
        now_ms: The time at Auther, Unix milliseconds.
        lost: Changes that Auther could not write down since it was started.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    moved_back: int = 0
    now_ms: int = 0
    lost: int = 0

    @property
    def written(self) -> int:
        """Give the number of changes that are in the application now."""
        return self.outcomes[Outcome.WRITTEN]

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.moved_back)


def beginning(checkpoints: Checkpoints) -> str:
    """Give the id after which changes have to be read: somewhat before the last one that was."""
    cursor = _cursor(checkpoints)
    return cursor_at(time_of(cursor) - OVERLAP_MS) if cursor else ""


def _cursor(checkpoints: Checkpoints) -> str:
    return str(checkpoints.get(SUBJECT, CURSOR) or "")


class Passer:
    """Brings the application up to date; killed anywhere, the next pass goes on.

    Args:
        feed: What changed.
        tables: The application's side.
        applier: Writes one change.
        checkpoints: Where the cursor is kept.
        check: Raises when somebody else took the work over.
    """

    def __init__(
        self,
        feed: EventFeed,
        tables: Tables,
        applier: Applier,
        *,
        checkpoints: Checkpoints,
        check: Callable[[], None],
    ) -> None:
        self._feed = feed
        self._tables = tables
        self._applier = applier
        self._checkpoints = checkpoints
        self._check = check

    def run(self, *, retry: bool, homes: bool) -> Passed:
        """Write everything there is.

        Args:
            retry: Try again what was held.
            homes: Afterwards let those of whom nothing is open be at home in the application.

        Raises:
            DependencyError: A side does not answer; what was written is written.
            ConflictError: Somebody else took the work over.
        """
        passed = Passed()
        self._acknowledge()
        if retry:
            self._retry(passed)
        self._follow(passed)
        while homes and (moved := self._back()):
            passed.moved_back += moved
        return passed

    def _back(self) -> int:
        self._check()
        return self._tables.log.homes_back(rows=HOMES_ROWS)

    def _follow(self, passed: Passed) -> None:
        cursor = _cursor(self._checkpoints)
        after = beginning(self._checkpoints)
        while True:
            page = self._feed.read(after)
            passed.now_ms, passed.lost = page.now_ms, page.lost
            self._apply(self._unsettled(page.found), passed)
            self._acknowledge()
            if page.cursor <= after:
                return
            after = page.cursor
            if after > cursor:
                self._checkpoints.put(SUBJECT, CURSOR, after)

    def _unsettled(self, events: Sequence[Event]) -> list[Event]:
        """Leave out what was seen before: done, lost, or held and not to be tried yet."""
        known = self._tables.log.states_of([event.id for event in events]) if events else {}
        return [event for event in events if event.id not in known]

    def _apply(self, events: Iterable[Event], passed: Passed) -> None:
        for event in events:
            self._check()
            outcome = self._applier.apply(event)
            if outcome is not None:
                passed.outcomes[outcome] += 1

    def _retry(self, passed: Passed) -> None:
        """Read held changes again, since what they bring is kept by Auther only."""
        left = self._tables.log.held()
        forgotten: list[str] = []
        while left:
            # The id without its last character sorts right before it.
            page = self._feed.read(left[0][:-1])
            wanted = set(left)
            self._apply((event for event in page.found if event.id in wanted), passed)
            passed.now_ms = page.now_ms
            reached = max(page.cursor, left[0])
            there = {event.id for event in page.found}
            forgotten += [event for event in left if event <= reached and event not in there]
            left = [event for event in left if event > reached]
        if forgotten:
            self._tables.log.give_up(forgotten)

    def _acknowledge(self) -> None:
        """Let Auther forget what is taken care of; told twice does no harm."""
        while events := self._tables.log.unacknowledged(rows=PAGE_ROWS):
            self._feed.acknowledge(events)
            self._tables.log.acknowledged(events)
