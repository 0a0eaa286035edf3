"""Clocks that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class ShiftedClock(SystemClock):
    """The machine's clock, wrong by a fixed time."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        """Give the wrong time."""
        return super().now() + self._by
