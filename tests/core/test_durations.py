from __future__ import annotations

from datetime import timedelta

import pytest

from migrator.core.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "span"),
    [("90s", timedelta(seconds=90)), ("1.5h", timedelta(minutes=90)), ("14d", timedelta(days=14))],
)
def test_durations_are_read(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "14", "d", "-1d", "1 week"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_durations_are_said_in_two_units() -> None:
    assert format_duration(timedelta(days=2, hours=3, minutes=4)) == "2d 3h"
    assert format_duration(timedelta(0)) == "0s"
