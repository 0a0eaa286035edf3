"""What runs beside the requests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Repeated:
    """Calls something again and again on a thread of its own, best effort."""

    def __init__(self, work: Callable[[], None], *, every_s: float) -> None:
        self._work = work
        self._every_s = every_s
        self._ended = threading.Event()

    def start(self) -> None:
        """Start the thread in this process."""
        self._ended = threading.Event()
        threading.Thread(target=self._run, args=(self._ended,), daemon=True).start()

    def stop(self) -> None:
        """End the thread after its current turn."""
        self._ended.set()

    def _run(self, ended: threading.Event) -> None:
        while True:
            try:
                self._work()
            except Exception as error:  # noqa: BLE001 (it must outlive whatever fails)
                # The type only: a driver's message may quote the connection string.
                _log.warning("work beside the requests failed (%s)", type(error).__name__)
            if ended.wait(self._every_s):
                return
