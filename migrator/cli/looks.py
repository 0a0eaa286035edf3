"""Looks again and again, on time, until enough was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from migrator.core.clock import Clock


def looks(
    clock: Clock, *, interval: timedelta, count: int | None, duration: timedelta | None
) -> Iterator[datetime]:
    """Yield the time of each look; the first one is now.

    Args:
        clock: Tells the time and waits.
        interval: From the beginning of one look to the beginning of the next.
        count: How many at most; None without a limit.
        duration: No look begins later than this after the first; None without a limit.
    """
    began = clock.now()
    done = 0
    while count is None or done < count:
        at = clock.now()
        yield at
        done += 1
        following = at + interval
        if duration is not None and following > began + duration:
            return
        if count is None or done < count:
            clock.sleep(max((following - clock.now()).total_seconds(), 0))
