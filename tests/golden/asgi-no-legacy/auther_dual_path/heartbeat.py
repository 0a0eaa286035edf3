"""What runs beside the requests: this instance reports itself every ten seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)


class Heartbeat:
    """Calls something again and again, best effort: a failure is logged and forgotten."""

    def __init__(self, beat: Callable[[], Awaitable[None]], *, every_s: float) -> None:
        self._beat = beat
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start in this event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            try:
                await self._beat()
            except Exception as error:  # noqa: BLE001 (it must outlive whatever fails)
                # The type only: a driver's message may quote the connection string.
                _log.warning("the heartbeat failed (%s)", type(error).__name__)
            await asyncio.sleep(self._every_s)
