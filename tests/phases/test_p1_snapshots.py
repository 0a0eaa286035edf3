"""What was at Auther before the import is kept, so that there is a way back to it."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from migrator.auther.ways.sqlite import open_sqlite
from migrator.core.errors import DependencyError
from migrator.runner.importing.snapshots import list_snapshots, take_snapshot
from phases import p1_import
from tests.auther.rows import row
from tests.phases.importing import Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.importing.snapshots import Snapshot


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch)


def users_in(site: Site, snapshot: Snapshot) -> int:
    with closing(sqlite3.connect(site.root / snapshot.file)) as connection:
        return int(connection.execute('SELECT count(*) FROM "user"').fetchone()[0])


def test_a_target_with_users_is_copied_once_before_the_first_write(site: Site) -> None:
    with open_sqlite(site.auther_db) as target:
        target.write([row("somebody")])
    p1_import.run(site.ctx)
    p1_import.run(site.ctx)
    ((snapshot, there),) = list_snapshots(site.ctx)
    path = site.root / snapshot.file
    assert there
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sha256(path.read_bytes()).hexdigest() == snapshot.sha256
    assert (snapshot.users, users_in(site, snapshot)) == (1, 1)
    p1_import.rollback(site.ctx)
    p1_import.run(site.ctx)
    assert len(list_snapshots(site.ctx)) == 2


def test_a_file_that_the_import_makes_needs_no_copy_but_can_have_one(site: Site) -> None:
    p1_import.run(site.ctx)
    assert list_snapshots(site.ctx) == []
    first, second = take_snapshot(site.ctx), take_snapshot(site.ctx)
    assert first.file != second.file
    assert first.users == second.users == users_in(site, second)
    (site.root / first.file).unlink()
    assert [there for _, there in list_snapshots(site.ctx)] == [False, True]


def test_a_copy_that_fails_is_no_snapshot_and_stops_the_import(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_sqlite(site.auther_db) as target:
        target.write([row("somebody")])
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 0})())
    with pytest.raises(DependencyError, match="are free"):
        p1_import.run(site.ctx)
    assert list_snapshots(site.ctx) == []
    assert site.auther('SELECT count(*) FROM "user"') == [(1,)]
