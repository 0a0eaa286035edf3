"""Reads ahead in a thread, so that the next page travels while this one is written."""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")
_POLL_S = 0.2


@contextmanager
def prefetched(items: Iterable[T], *, ahead: int = 1) -> Iterator[Iterator[T]]:
    """Give an iterator over `items` that is at most `ahead` items further than its reader.

    Args:
        items: Consumed in a thread of its own; whatever it raises comes out of the iterator.
        ahead: Bounds the memory: items that wait at the same time.
    """
    reader = _Reader(items, ahead)
    reader.start()
    try:
        yield reader.taken()
    finally:
        reader.stop()


class _Reader(Generic[T]):
    def __init__(self, items: Iterable[T], ahead: int) -> None:
        self._items = items
        self._waiting: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(ahead)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def taken(self) -> Iterator[T]:
        while True:
            found = self._waiting.get()
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            yield found[0]

    def _read(self) -> None:
        last: BaseException | None = None
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again where the items are taken
            last = error
        self._put(last)

    def _put(self, found: tuple[T] | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._waiting.put(found, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False
