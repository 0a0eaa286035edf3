from __future__ import annotations

from datetime import timedelta

import pytest

from migrator.metrics.interface import Heartbeat
from migrator.runner.switching.fleet import Fleet


def beat(epoch: int, *, legacy_capable: bool) -> Heartbeat:
    return Heartbeat("web-1", "7", "dual", epoch, legacy_capable, age=timedelta(seconds=1))


@pytest.mark.parametrize(
    ("found", "lagging"),
    [
        (beat(6, legacy_capable=True), ("web-1 is at epoch 6 (dual, live)",)),
        (beat(7, legacy_capable=True), ()),
        (beat(0, legacy_capable=False), ()),
    ],
)
def test_only_builds_that_follow_the_document_lag(
    found: Heartbeat, lagging: tuple[str, ...]
) -> None:
    assert Fleet((found,), ()).lagging(7) == lagging


def test_what_is_not_known_lags() -> None:
    assert Fleet((), ("web-2 never reported",)).lagging(7) == ("web-2 never reported",)
