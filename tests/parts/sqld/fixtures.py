"""The fixtures `sqld_server` and `sqld`."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.parts import require
from tests.parts.sqld import Sqld, start

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'libsql%'"


@pytest.fixture(scope="session")
def sqld_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    """One server for this process."""
    require("sqld")
    server = start(tmp_path_factory.mktemp("sqld"))
    yield server
    server.remove()


@pytest.fixture
def sqld(sqld_server: Sqld) -> str:
    """The address of a libSQL server without tables."""
    empty(sqld_server.base_url)
    return sqld_server.base_url


def empty(base_url: str) -> None:
    """Drop all tables."""
    tables = [row[0]["value"] for row in _run(base_url, _TABLES)]
    # One stream, so that the pragma holds for all of it.
    drops = (f'DROP TABLE "{table}"' for table in tables)
    _run(base_url, "PRAGMA foreign_keys = OFF", *drops)


@pytest.fixture
def sqld_folder(tmp_path: Path) -> Path:
    """A folder for a server of the test's own; skips where there is no sqld."""
    require("sqld")
    folder = tmp_path / "sqld"
    folder.mkdir()
    return folder


def _run(url: str, *statements: str) -> list[list[dict[str, str]]]:
    requests = [{"type": "execute", "stmt": {"sql": sql}} for sql in statements]
    answer = httpx.post(
        f"{url}/v2/pipeline", json={"requests": [*requests, {"type": "close"}]}, trust_env=False
    )
    results = answer.raise_for_status().json()["results"]
    assert all(result["type"] == "ok" for result in results), results
    return results[0]["response"]["result"]["rows"]  # type: ignore[no-any-return]
