from __future__ import annotations

from datetime import UTC, datetime, timedelta

from migrator.cli.looks import looks
from migrator.core.clock import ManualClock

AT = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def taken(
    *, work_s: float = 0, count: int | None = None, minutes: float | None = None
) -> list[float]:
    """Give the minutes at which looks began, each taking so many seconds."""
    clock, began = ManualClock(AT), []
    duration = None if minutes is None else minutes * MINUTE
    for at in looks(clock, interval=MINUTE, count=count, duration=duration):
        began.append((at - AT) / MINUTE)
        clock.at += timedelta(seconds=work_s)
    return began


def test_looks_keep_their_pace_whatever_each_one_takes() -> None:
    assert taken(work_s=20, count=3) == [0, 1, 2]


def test_a_look_that_takes_longer_is_followed_at_once() -> None:
    assert taken(work_s=90, count=3) == [0, 1.5, 3]


def test_no_look_begins_after_the_time_is_over() -> None:
    assert taken(minutes=2.5) == [0, 1, 2]
    assert taken(minutes=0) == [0]


def test_after_the_last_look_nobody_waits() -> None:
    clock = ManualClock(AT)
    assert len(list(looks(clock, interval=MINUTE, count=1, duration=None))) == 1
    assert clock.at == AT
