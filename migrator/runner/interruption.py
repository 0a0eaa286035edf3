"""Ends what goes on until somebody ends it, without leaving anything half-done."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any, Protocol, Self

    class Sleeper(Protocol):
        """Waits: a clock, or a bell."""

        def sleep(self, seconds: float) -> None:
            """Wait for so many seconds at most."""


class Interruption:
    """Lets Ctrl-C and SIGTERM end a wait at once and a pass when it is done; twice ends a pass too."""

    def __init__(self) -> None:
        self.requested = False
        self._is_waiting = False
        self._before: dict[signal.Signals, Any] = {}

    def wait(self, sleeper: Sleeper, seconds: float) -> None:
        """Wait, unless the end was asked for."""
        try:
            self._is_waiting = True
            if not self.requested:
                sleeper.sleep(seconds)
        except KeyboardInterrupt:
            self.requested = True
        finally:
            self._is_waiting = False

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_waiting or self.requested:
            raise KeyboardInterrupt
        self.requested = True

    def __enter__(self) -> Self:
        for kind in (signal.SIGINT, signal.SIGTERM):
            self._before[kind] = signal.signal(kind, self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
