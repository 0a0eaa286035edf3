"""What the tests know about the people and pages of the Go application."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from tests.shims.asgi.club import BOB, CAROL, oracle

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CAROL", "PEPPER", "csrf_of", "oracle", "wait_until"]

PATIENCE_S = 30
PEPPER = oracle()[BOB]["pepper"]


def csrf_of(page: str) -> str:
    """Give the token in a page's form."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page
    return found[1]


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
