"""The fixture `better_auth`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.parts import require
from tests.parts.better_auth import BetterAuth, start


@pytest.fixture
def better_auth() -> Iterator[Callable[..., BetterAuth]]:
    """A factory with the arguments of `tests.parts.better_auth.start`; stops what it started."""
    require("node")
    with ExitStack() as running:

        def started(*args: Any, **kwargs: Any) -> BetterAuth:
            return running.enter_context(start(*args, **kwargs))

        yield started
