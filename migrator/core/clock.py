"""Time, passed in: whoever needs the time takes a Clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Give the present as an aware UTC datetime."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:  # noqa: D102
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:  # noqa: D102
        time.sleep(seconds)


@dataclass
class ManualClock:
    """A clock that stands still until it is told to move; sleeping moves it."""

    at: datetime

    def now(self) -> datetime:  # noqa: D102
        return self.at

    def sleep(self, seconds: float) -> None:  # noqa: D102
        self.at += timedelta(seconds=seconds)


def iso(at: datetime) -> str:
    """Give a time as ISO 8601 in UTC with microseconds, e.g. 2026-11-23T03:00:00.000000Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_iso(text: str) -> datetime:
    """Read what `iso` wrote.

    Raises:
        ValueError: The text is no ISO 8601 time with a zone.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone: {text!r}")
    return at.astimezone(UTC)
