"""Times that every part on the way can hold."""

from __future__ import annotations

# Times that JavaScript's Date can hold, in milliseconds either side of 1970.
MAX_DATE_MS = 8_640_000_000_000_000


def is_odd(at_ms: int | None) -> bool:
    """Tell that a time is infinite or beyond what Auther can hold; None is not."""
    return at_ms is not None and not -MAX_DATE_MS <= at_ms <= MAX_DATE_MS


def clamped(at_ms: int | None) -> int | None:
    """Give the nearest time that Auther can hold."""
    return None if at_ms is None else max(-MAX_DATE_MS, min(MAX_DATE_MS, at_ms))
