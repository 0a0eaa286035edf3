"""The detection control: a made-up legacy session goes through the very detector that counts.

Without it a renamed cookie would blind the detector, and "no legacy requests" would be true of
nothing but the counter.
"""

from __future__ import annotations

import asyncio
import logging

from .metrics import Counters
from .model import LegacyDetector

_EVERY_S = 60
_log = logging.getLogger(__name__)


class DetectionControl:
    """Shows the detector its fixture at the start and every minute."""

    def __init__(self, detector: LegacyDetector, counters: Counters) -> None:
        self._detector = detector
        self._counters = counters
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
            self._counters.detector_sees_fixture = await self._sees()
            await asyncio.sleep(_EVERY_S)

    async def _sees(self) -> bool:
        try:
            return await self._detector.holds_user(self._detector.fixture())
        except Exception as error:  # noqa: BLE001 (whatever it is, the detector is blind)
            _log.warning("the detection control failed (%s)", type(error).__name__)
            return False
