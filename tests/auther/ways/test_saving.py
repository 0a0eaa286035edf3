"""Copies of what is at Auther, by each way in."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from migrator.auther.ways.libsql_server import LibsqlServer
from migrator.auther.ways.plugin_door import PluginDoor
from migrator.auther.ways.sqlite import open_sqlite
from migrator.auther.ways.sqlite_file import SqliteFile
from migrator.core.errors import DependencyError, UsageError
from tests.auther.plugin.door import ENVIRONMENT, SECRETS
from tests.auther.rows import at, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.parts.better_auth import BetterAuth

ROWS = [row(f"user{number}") for number in range(30)]
RICH = row("ada")._replace(accounts=(row("ada").accounts[0], at("github", "7", owner="ada")))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_file_is_copied_whole_while_somebody_writes_to_it(tmp_path: Path) -> None:
    path, copy = tmp_path / "auther.db", tmp_path / "copy.db"
    with open_sqlite(path) as target:
        target.write(ROWS)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM user")
        assert SqliteFile(path, account_issuers={}).save(copy) == 30
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with open_sqlite(copy) as target:
        assert target.read(["user7"])["user7"].user == ROWS[7].user


def test_a_disk_without_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy = tmp_path / "auther.db", tmp_path / "copy.db"
    with open_sqlite(path):
        pass
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DependencyError, match="0 MB are free"):
        SqliteFile(path, account_issuers={}).save(copy)
    assert not copy.exists()


def test_there_is_no_copy_of_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Auther database"):
        SqliteFile(tmp_path / "auther.db", account_issuers={}).save(tmp_path / "copy.db")


def test_a_servers_rows_are_written_with_all_their_columns(sqld: str, tmp_path: Path) -> None:
    way, copy = LibsqlServer(sqld), tmp_path / "copy.jsonl"
    with way.opened(writing=True) as target:
        target.write([*ROWS, RICH])
    assert way.save(copy) == 31
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert Counter(line["table"] for line in lines(copy)) == {"user": 31, "account": 32}
    github = next(line["row"] for line in lines(copy) if line["row"].get("account_id") == "7")
    assert (github["user_id"], github["access_token"]) == ("ada", None)


def test_a_running_authers_users_are_written_without_what_the_plugin_does_not_tell(
    better_auth: Callable[..., BetterAuth], tmp_path: Path
) -> None:
    path, copy = tmp_path / "auther.db", tmp_path / "copy.jsonl"
    with open_sqlite(path) as target:
        target.write([*ROWS, RICH])
    server = better_auth(path, env=ENVIRONMENT)
    way = PluginDoor(f"{server.base_url}/api/auth", secret=SECRETS["IMPORT"])
    assert way.save(copy) == 31
    assert Counter(line["table"] for line in lines(copy)) == {"user": 31, "account": 32}
    found = [line["row"] for line in lines(copy) if line["row"]["id"] == "ada"]
    assert found == [RICH.user._asdict()]
