"""Durations as written in migrator.toml: `90s`, `15m`, `24h`, `14d`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: The text is not a number followed by s, m, h or d.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write a number and s, m, h or d: 90s, 14d")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def format_duration(span: timedelta) -> str:
    """Say a duration in its two largest units, e.g. `2d 3h` or `45s`."""
    left = round(span.total_seconds())
    said = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            said.append(f"{count}{unit}")
    return " ".join(said[:2]) or "0s"
