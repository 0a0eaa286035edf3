"""Real servers and programs that tests run against, and what happens where one is missing."""

import os

import pytest

from tests.parts.availability import missing
from tests.setup.paths import use_parts

__all__ = ["require"]

use_parts()


def require(part: str) -> None:
    """Return when `part` is there; otherwise skip loudly, or fail under CI=true.

    Args:
        part: a key of `tests.parts.availability.PARTS`.
    """
    reason = missing(part)
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"part {part!r} is missing: {reason}", pytrace=False)
    pytest.skip(f"part {part!r} is missing: {reason}")
