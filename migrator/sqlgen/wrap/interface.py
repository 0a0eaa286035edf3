"""What a wrapper is made of, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from migrator.sqlgen.steps import Step


@dataclass(frozen=True)
class Wrapped:
    """A plan that is put into the migrations of another tool.

    Attributes:
        made_at: When the plan was made; tools that order by time number the steps from here.
        steps: In the order in which they have to run.
        there: SQL that tells whether what goes is where it always was.
        sql: The plan's files by path, e.g. `deploy/01_guard.sql`.
    """

    plan_id: str
    made_at: datetime
    steps: tuple[Step, ...]
    there: str
    sql: Mapping[str, str]

    @property
    def last_but_one(self) -> str:
        """The step before the one that takes the guard schema away."""
        return self.steps[-2].name

    def of(self, direction: str, step: Step) -> str:
        """Give one of the plan's files."""
        return self.sql[f"{direction}/{step.name}.sql"]


class Wrapper(Protocol):
    """One tool. What it makes asks the same questions as the plan's own files and skips none."""

    def files(self, plan: Wrapped) -> dict[str, str]:
        """Give the texts by path; the folder is the application's, or one of its own."""
        ...
