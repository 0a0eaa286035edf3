"""The comparison of both sides as one HTML file that needs nothing else: no script, no network. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 1000


@dataclass(frozen=True)
class Row:
    """A count and what it means."""

    name: str
    count: int
    meaning: str = ""


@dataclass(frozen=True)
class Difference:
    """A line of the table; personal values are left out or masked by whoever makes it."""

    kind: str
    pk: str
    auther_id: str
    detail: str


@dataclass(frozen=True)
class ReconciliationPage:
    """What the page says.

    Attributes:
        migration: The migration's name.
        at: When the comparison ended, ISO 8601 UTC.
        counts: Users by outcome.
        kinds: Differences by kind.
        shown: The first differences, at most `SHOWN`.
        file: Where all of them are.
    """

    migration: str
    at: str
    holds: bool
    counts: Sequence[Row]
    kinds: Sequence[Row]
    shown: Sequence[Difference]
    file: str

    @property
    def total(self) -> int:
        """Give the number of differences of all kinds."""
        return sum(row.count for row in self.kinds)


def render(page: ReconciliationPage) -> str:
    """Give the whole document; every value is escaped."""
    # Every command of the import reaches this module, and one of them makes a page.
    from migrator.dashboards.html import environment  # noqa: PLC0415

    return environment().get_template("reconciliation.html.j2").render(page=page)
