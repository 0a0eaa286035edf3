"""A Redis server, and Rails' session table on each database, for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.parts import require
from tests.parts.redis import RedisServer, start_redis
from tests.sessions.stores import make_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.mariadb import MariaDbServer


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


@pytest.fixture
def mariadb_db(mariadb: MariaDbServer) -> Iterator[str]:
    with mariadb.temporary_database() as dsn:
        yield dsn


@pytest.fixture(params=["postgresql", "mysql2", "sqlite3"])
def anywhere(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Rails' session table on each database in turn; gives its DSN."""
    if request.param == "sqlite3":
        (tmp_path / "app.sqlite3").touch()
        dsn = f"sqlite3:{tmp_path / 'app.sqlite3'}"
    elif request.param == "mysql2":
        dsn = request.getfixturevalue("mariadb_db")
    else:
        dsn = request.getfixturevalue("fresh_db")
    make_table(dsn)
    monkeypatch.setenv("SESSIONS_DSN", dsn)
    return dsn
