"""This process in the application's database: that it began, and what it had counted when it ended.

Its counters are in its memory. Whoever reads them from outside has to know of each process that
ever counted, and what one counted last: so it is written down before it accepts a legacy session,
and at its end. One that is killed leaves a row without an end, and nobody takes that for zero.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from .metrics import STARTED_AT_S, Counters, are_shared
from .model import VerificationUnavailableError

_log = logging.getLogger(__name__)
_AGAIN_AFTER_S = 1.0


class ProcessRows(Protocol):
    """Where processes are written down; `identity.PostgresPeople` does that."""

    async def process_began(self, process: Mapping[str, Any]) -> bool:
        """Write one down, or take back its end; say whether there is a place for it."""
        ...

    async def process_ended(self, process: Mapping[str, Any], counts: str) -> None:
        """Write down its end."""
        ...


class ThisProcess:
    """Writes this process down, once.

    Args:
        rows: Where to.
        counters: What is counted here.
        instance: Gives the name under which this process reports.
    """

    def __init__(self, rows: ProcessRows, counters: Counters, instance: Callable[[], str]) -> None:
        self._rows = rows
        self._counters = counters
        self._instance = instance
        self._turn = asyncio.Lock()
        self._known_in = 0
        self._is_written = False
        self._failed_at = float("-inf")
        self._under_way: set[object] = set()

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Surround a request: no end is written while one is under way."""
        request = object()
        self._under_way.add(request)
        try:
            yield
        finally:
            self._under_way.discard(request)

    @property
    def is_known(self) -> bool:
        """Whether it is written down, or there is no place for that."""
        # A process that was forked from one that had begun is another one.
        return self._known_in == os.getpid()

    async def begin(self) -> None:
        """Write it down, unless that was done.

        Raises:
            VerificationUnavailableError: The database does not answer.
        """
        if self.is_known:
            return
        async with self._turn:
            if self.is_known:
                return
            if time.monotonic() - self._failed_at < _AGAIN_AFTER_S:
                raise VerificationUnavailableError("database", 1)
            try:
                # Counters that several processes share do not end with one of them.
                written = not are_shared() and await self._rows.process_began(self._key())
            except VerificationUnavailableError:
                self._failed_at = time.monotonic()
                raise
            self._is_written, self._known_in = written, os.getpid()

    async def end(self) -> None:
        """Write down what was counted, where all requests have ended; never an error."""
        async with self._turn:
            if not (self._is_written and self.is_known):
                return
            # From here on a request begins anew, and thereby takes the end back.
            self._known_in = 0
            if self._under_way:
                _log.warning("requests are under way: the end of this process is not written down")
                return
            try:
                await self._rows.process_ended(self._key(), self._counters.last())
            except VerificationUnavailableError:
                _log.warning("the end of this process could not be written down")

    def _key(self) -> Mapping[str, Any]:
        return {
            "instance": self._instance(),
            "started_at": STARTED_AT_S,
            "pid": os.getpid(),
        }
