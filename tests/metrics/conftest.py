from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.parts.shim_process import ShimProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def web_1() -> Iterator[ShimProcess]:
    """A running instance."""
    shim = ShimProcess("web-1").start()
    yield shim
    shim.kill()


@pytest.fixture
def web_2() -> Iterator[ShimProcess]:
    """A second running instance."""
    shim = ShimProcess("web-2").start()
    yield shim
    shim.kill()
