"""Progress of long work, through an interface whose default does nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Task(Protocol):
    """One piece of work that advances."""

    def advance(self, steps: int) -> None:
        """Say that so many more are done."""
        ...


class Progress:
    """Shows nothing; the terminal's own version is in `migrator.dashboards.terminal`."""

    @contextmanager
    def task(
        self,
        title: str,  # noqa: ARG002
        *,
        total: int | None,  # noqa: ARG002
        done: int = 0,  # noqa: ARG002
    ) -> Iterator[Task]:
        """Show a piece of work while the block runs.

        Args:
            title: What is being done.
            total: How many steps there are, None when unknown.
            done: How many were done by an earlier run.
        """
        yield _Silent()

    def say(self, line: str) -> None:
        """Show a line beside the progress."""


class _Silent:
    def advance(self, steps: int) -> None:
        pass
