"""A Redis server for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.parts import require
from tests.parts.redis import RedisServer, start_redis

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis of this process."""
    require("redis")
    server = start_redis(
        "--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024"
    )
    yield server
    server.stop()


@pytest.fixture
def redis(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    """An empty Redis, whose address is in SESSIONS_REDIS_URL."""
    redis_server.connect().flushall()
    monkeypatch.setenv("SESSIONS_REDIS_URL", redis_server.url)
    return redis_server
