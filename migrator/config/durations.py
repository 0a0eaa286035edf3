"""Durations as migrator.toml writes them: 90s, 15m, 24h, 14d."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from migrator.core.durations import parse_duration


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError("write a duration as text: 90s, 15m, 24h, 14d")  # noqa: TRY004
    return parse_duration(value)


def _duration_or_never(value: object) -> timedelta | None:
    return None if value == "never" else _duration(value)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
DurationOrNever = Annotated[timedelta | None, BeforeValidator(_duration_or_never)]
