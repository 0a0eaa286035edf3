from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from migrator.runner.importing.prefetch import prefetched

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_items_come_in_order() -> None:
    with prefetched(range(100)) as ready:
        assert list(ready) == list(range(100))


def test_it_reads_no_further_ahead_than_it_may() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            read.append(number)
            yield number

    with prefetched(items(), ahead=1) as ready:
        assert next(ready) == 0
        time.sleep(0.1)
        # One waits, one is in the reader's hands.
        assert len(read) <= 3


def test_an_error_comes_out_where_the_items_are_taken() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise RuntimeError("the server went away")

    with prefetched(items()) as ready:
        assert next(ready) == 1
        with pytest.raises(RuntimeError, match="went away"):
            next(ready)


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    with prefetched(iter(int, 1)) as ready:
        next(ready)
    assert threading.active_count() == before
