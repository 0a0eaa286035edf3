"""Two instances that one process of tests shares; each test finds them as if they had just been started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.parts.shim_process import ShimProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

Pair = tuple[ShimProcess, ShimProcess]


@pytest.fixture(scope="session")
def shared_shims() -> Iterator[Pair]:
    """Both, in whatever state the last test left them."""
    shims = ShimProcess("web-1"), ShimProcess("web-2")
    yield shims
    for shim in shims:
        shim.kill()


@pytest.fixture
def web_1(shared_shims: Pair) -> ShimProcess:
    """A running instance."""
    return shared_shims[0].fresh()


@pytest.fixture
def web_2(shared_shims: Pair) -> ShimProcess:
    """A second running instance."""
    return shared_shims[1].fresh()


@pytest.fixture
def shims(web_1: ShimProcess, web_2: ShimProcess) -> Pair:
    """Both."""
    return web_1, web_2
