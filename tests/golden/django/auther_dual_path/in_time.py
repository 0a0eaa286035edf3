"""A limit for what has none of its own, and work that several requests wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
Flight = Future


def in_time(seconds: float, work: Callable[[], T]) -> T:
    """Give what work gives.

    Raises:
        TimeoutError: It takes too long; it goes on, and nobody looks at what comes of it.
    """
    return begin(work).result(timeout=seconds)


def begin(work: Callable[[], T]) -> Flight[T]:
    """Start work on a thread of its own."""
    future: Flight[T] = Flight()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 (whoever waits gets it)
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def landed(flight: Flight[T]) -> T:
    """Wait for what was begun."""
    return flight.result()
