"""Which counters moved, read from Prometheus' text."""

from __future__ import annotations

from collections import Counter

import pytest

from migrator.conformance.counters import matches, read
from migrator.conformance.interface import CannotRunError

INFO = 'migrator_shim_info{instance="web-1",stage="dual",epoch="7"} 1\n'
LINE = 'auth_requests_total{{path="{path}",outcome="{outcome}",stage="{stage}",reason="{reason}",synthetic="{s}"}} {n}\n'


def line(
    path: str, outcome: str, n: int, *, reason: str = "", stage: str = "dual", s: int = 0
) -> str:
    return LINE.format(path=path, outcome=outcome, stage=stage, reason=reason, s=s, n=n)


def test_real_requests_are_added_up_over_the_stages_without_synthetic_ones() -> None:
    before = read(INFO + line("legacy", "accepted", 3))
    after = read(
        INFO
        + line("legacy", "accepted", 4)
        + line("legacy", "accepted", 1, stage="drain")
        + line("legacy", "accepted", 9, s=1)
        + line("auther", "refused", 2, reason="expired")
    )

    assert after.epoch == 7
    assert after.requests_since(before) == {"legacy accepted": 2, "auther refused expired": 2}
    assert after.grown_since(before, "auth_requests_total", synthetic="1") == 9


@pytest.mark.parametrize(
    ("counted", "pattern", "fits"),
    [
        ({"legacy accepted": 1}, "legacy accepted", True),
        ({"legacy accepted": 2}, "legacy accepted", False),
        ({}, "legacy accepted", False),
        ({"legacy accepted": 1, "none anonymous": 1}, "legacy accepted", False),
        ({"auther refused signature": 1}, "auther refused *", True),
        ({"auther refused signature": 1}, "auther refused algorithm", False),
    ],
)
def test_exactly_one_request_is_counted(counted: dict[str, int], pattern: str, fits: bool) -> None:
    assert matches(Counter(counted), pattern) is fits


@pytest.mark.parametrize("text", ["<html>", "", 'auth_requests_total{path="x"} 1\n'])
def test_what_is_no_shims_metrics_cannot_be_read(text: str) -> None:
    with pytest.raises(CannotRunError):
        read(text)
