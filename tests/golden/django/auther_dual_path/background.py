"""One thread per process for what no request should wait for.

Heartbeat, last-seen, and who was signed out everywhere.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

_log = logging.getLogger(__name__)
_TURN_S = 1.0
_SEEN_EVERY_S = 60
_SIGNED_OUT_EVERY_S = 2
_MAX_USERS = 50_000
_MAX_WAITING = 1000
_STOPS_WITHIN_S = 3.0

Facts = Callable[[], Mapping[str, Any] | None]


class Writes(Protocol):
    """What the thread writes to; `identity.PostgresPeople` has both."""

    def seen_on_legacy(self, user_pk: str) -> None:
        """Note when somebody last used a legacy session."""
        ...

    def beat(self, facts: Mapping[str, Any]) -> None:
        """Say that this instance lives and which stage it sees."""
        ...

    def signed_out_everywhere(self) -> frozenset[str]:
        """Give the moved users whose legacy sessions have ended, all of them."""
        ...


class Background:
    """Writes best effort: a failure is logged and forgotten, never a request's error.

    Args:
        writes: Where to; called on this object's thread only.
        facts: What to report, None while the stage is unknown.
        heartbeat_s: The longest pause between two reports; a new epoch is reported at once.

    Attributes:
        signed_out: The moved users whose legacy sessions have ended; None when nobody looked yet.
    """

    def __init__(self, writes: Writes, facts: Facts, *, heartbeat_s: float) -> None:
        self._writes = writes
        self._facts = facts
        self._heartbeat_s = heartbeat_s
        self._waiting: queue.Queue[str] = queue.Queue(_MAX_WAITING)
        self._seen: dict[str, float] = {}
        self._beat_at = float("-inf")
        self._beat_facts: Mapping[str, Any] | None = None
        self._ended = threading.Event()
        self._beating = threading.Lock()
        self.signed_out: frozenset[str] | None = None
        self._signed_out_at = float("-inf")

    def start(self) -> None:
        """Start the thread in this process."""
        self._ended = threading.Event()
        threading.Thread(target=self._run, args=(self._ended,), daemon=True).start()

    def stop(self) -> bool:
        """End the thread after its current turn; tell whether it reports nothing any more."""
        self._ended.set()
        is_silent = self._beating.acquire(timeout=_STOPS_WITHIN_S)
        if is_silent:
            self._beating.release()
        return is_silent

    def seen(self, user_pk: str) -> None:
        """Have a legacy user's time noted, at most once a minute for each."""
        now = time.monotonic()
        if now - self._seen.get(user_pk, float("-inf")) < _SEEN_EVERY_S:
            return
        if len(self._seen) >= _MAX_USERS:
            self._seen.clear()
        self._seen[user_pk] = now
        try:
            self._waiting.put_nowait(user_pk)
        except queue.Full:
            _log.warning("last-seen writes fall behind; one is left out")

    def look_who_is_signed_out(self) -> frozenset[str]:
        """Look now, instead of in a moment on the thread."""
        self._guarded(self._look_who_is_signed_out)
        return self.signed_out or frozenset()

    def _run(self, ended: threading.Event) -> None:
        while not ended.is_set():
            with self._beating:
                if not ended.is_set():
                    self._guarded(self._beat_if_due)
            self._guarded(self._look_who_is_signed_out)
            self._guarded(self._note_one)

    def _note_one(self) -> None:
        with contextlib.suppress(queue.Empty):
            self._writes.seen_on_legacy(self._waiting.get(timeout=_TURN_S))

    def _beat_if_due(self) -> None:
        facts, now = self._facts(), time.monotonic()
        if facts is None:
            return
        if facts != self._beat_facts or now - self._beat_at >= self._heartbeat_s:
            self._writes.beat(facts)
            self._beat_facts, self._beat_at = facts, now

    def _look_who_is_signed_out(self) -> None:
        now = time.monotonic()
        if now - self._signed_out_at >= _SIGNED_OUT_EVERY_S:
            self._signed_out_at = now
            self.signed_out = self._writes.signed_out_everywhere()

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:  # noqa: BLE001 (this thread must outlive whatever fails)
            # The type only: a driver's message may quote the connection string.
            _log.warning("a background write failed (%s)", type(error).__name__)
            self._ended.wait(_TURN_S)
