"""Progress on a terminal: bar, rate, time left; plain lines when nobody watches."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from migrator.core.durations import format_duration
from migrator.core.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.core.progress import Task

LINE_EVERY_S = 10.0


class TerminalProgress(Progress):
    """Shows progress on stderr, so that stdout stays a command's result."""

    @contextmanager
    def task(self, title: str, *, total: int | None, done: int = 0) -> Iterator[Task]:  # noqa: D102
        if not sys.stderr.isatty():
            lines = _Lines(title, total, done)
            yield lines
            lines.finish()
            return
        with RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        ) as shown:
            yield _Bar(shown, shown.add_task(title, total=total, completed=done, rate=""))

    def say(self, line: str) -> None:  # noqa: D102
        sys.stderr.write(line + "\n")


class _Bar:
    def __init__(self, shown: RichProgress, task: TaskID) -> None:
        self._shown, self._task = shown, task

    def advance(self, steps: int) -> None:
        speed = self._shown.tasks[self._task].speed
        self._shown.update(self._task, advance=steps, rate=f"{speed:,.0f}/s" if speed else "")


class _Lines:
    """A line now and then, for logs and pipes."""

    def __init__(self, title: str, total: int | None, done: int) -> None:
        self._title, self._total = title, total
        self._first = self._done = done
        self._began = self._said = time.monotonic()

    def advance(self, steps: int) -> None:
        self._done += steps
        if time.monotonic() - self._said >= LINE_EVERY_S:
            self._said = time.monotonic()
            self._write()

    def finish(self) -> None:
        if self._done > self._first:
            self._write()

    def _write(self) -> None:
        rate = (self._done - self._first) / max(time.monotonic() - self._began, 1e-9)
        line = f"{self._title}: {self._done:,}"
        if self._total is not None:
            left = timedelta(seconds=max(self._total - self._done, 0) / rate) if rate else None
            line += f" of {self._total:,}"
            line += f", {format_duration(left)} left" if left else ""
        sys.stderr.write(f"{line}, {rate:,.0f}/s\n")
