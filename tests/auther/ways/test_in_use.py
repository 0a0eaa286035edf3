"""A database file on which a real Auther runs is not written by the page."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrator.auther.ways.sqlite import open_sqlite
from migrator.auther.ways.sqlite_file import SqliteFile
from migrator.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.parts.better_auth import BetterAuth

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="needs /proc to see other processes"
)


def way(path: Path, auther: BetterAuth | None = None) -> SqliteFile:
    api = f"{auther.base_url}/api/auth" if auther else ""
    return SqliteFile(path, account_issuers={}, api=api)


@needs_proc
def test_a_file_that_auther_has_open_is_refused_in_favour_of_the_endpoint(
    better_auth: Callable[..., BetterAuth], tmp_path: Path
) -> None:
    path = tmp_path / "auther.db"
    way(path).refuse_in_use()
    with open_sqlite(path):
        way(path).refuse_in_use()
    server = better_auth(path)
    with pytest.raises(RefusedError, match=r"auther\.db: it is open in process \d+") as caught:
        way(path).refuse_in_use()
    assert 'kind = "endpoint"' in caught.value.hint
    server.stop()
    way(path).refuse_in_use()


def test_an_auther_elsewhere_is_known_by_the_keys_in_its_file(
    better_auth: Callable[..., BetterAuth], tmp_path: Path
) -> None:
    path, same, other = (tmp_path / name for name in ("auther.db", "same.db", "other.db"))
    server = better_auth(path)
    server.request("GET", "/api/auth/jwks").raise_for_status()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", [str(same)])
    with open_sqlite(other):
        pass
    way(other, server).refuse_in_use()
    with pytest.raises(RefusedError, match="signs with a key that is in it"):
        way(same, server).refuse_in_use()
    server.stop()
    way(same, server).refuse_in_use()
