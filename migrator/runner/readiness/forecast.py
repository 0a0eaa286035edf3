"""Says what the import would do with each user, by the import's own rules."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from migrator.auther.interface import Mapped
from migrator.auther.mapping.map import to_rows
from migrator.core.users import RejectReason
from migrator.legacy.findings import Example
from migrator.runner.readiness.findings import Forecast

if TYPE_CHECKING:
    from migrator.auther.interface import Target
    from migrator.auther.mapping.rules import Rules
    from migrator.legacy.interface import Page

EXAMPLES = 3


class Forecaster:
    """Maps page after page and keeps the counts only."""

    def __init__(self, rules: Rules, auther: Target | None) -> None:
        self._rules = rules
        self._auther = auther
        self._rejected: Counter[str] = Counter()
        self._pinned: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._imported = self._already_there = 0
        self._taken: list[Example] = []

    def observe(self, page: Page) -> None:
        """Map a page and look its users up at Auther.

        Raises:
            DependencyError: Auther's database failed.
        """
        outcomes = [to_rows(user, self._rules) for user in page.users]
        mapped = [outcome for outcome in outcomes if isinstance(outcome, Mapped)]
        self._rejected.update(
            str(outcome.reason) for outcome in outcomes if not isinstance(outcome, Mapped)
        )
        free = mapped if self._auther is None else self._free(mapped, self._auther)
        self._imported += len(free)
        for row in free:
            self._notes.update(map(str, row.notes))
            if row.pinned is not None:
                self._pinned[str(row.pinned)] += 1

    def forecast(self) -> Forecast:
        """Give the counts, the most frequent first."""
        return Forecast(
            imported=self._imported - self._already_there,
            already_there=self._already_there,
            rejected=dict(self._rejected.most_common()),
            pinned=dict(self._pinned.most_common()),
            notes=dict(self._notes.most_common()),
            taken=tuple(self._taken),
        )

    def _free(self, mapped: list[Mapped], auther: Target) -> list[Mapped]:
        """Leave out whose address another Auther user has; count who is there already."""
        found = auther.find(mapped)
        self._already_there += len(found.ids)
        owner = found.emails
        free = [row for row in mapped if owner.get(row.user.email, row.user.id) == row.user.id]
        kept = {row.pk for row in free}
        taken = [row for row in mapped if row.pk not in kept]
        if taken:
            self._rejected[str(RejectReason.TARGET_TAKEN)] += len(taken)
        room = EXAMPLES - len(self._taken)
        self._taken += [Example(row.pk, row.user.email) for row in taken[:room]]
        return free
