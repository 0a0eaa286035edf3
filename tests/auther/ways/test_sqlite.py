"""Writing an Auther file: all or nothing, never over somebody else, and clear when it cannot be."""

from __future__ import annotations

import resource
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from migrator.auther.ways.sqlite import open_existing, open_sqlite
from migrator.core.errors import DependencyError, ExitCode, RefusedError, UsageError
from tests.auther.rows import row

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "auther.db"


def count(path: Path, table: str = "user") -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


def test_a_new_file_has_authers_tables_and_is_its_owners_alone(path: Path) -> None:
    with open_sqlite(path, bulk=True) as target:
        target.write([row("ada")])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert count(path, "oauth_application") == 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_an_existing_file_keeps_its_journal_mode(path: Path) -> None:
    with open_sqlite(path) as target:
        target.write([row("ada")])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    with open_sqlite(path) as target:
        target.write([row("bob")])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_writer_who_does_not_let_go_is_named_as_the_reason(path: Path) -> None:
    with open_sqlite(path, busy_timeout_s=0.1) as target, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DependencyError, match="another process writes to it") as caught:
            target.write([row("ada")])
        assert "run the same command again" in caught.value.hint
        other.rollback()
        target.write([row("ada")])
    assert count(path) == 1


def test_a_full_database_says_so_and_goes_on_when_there_is_room(path: Path) -> None:
    with open_sqlite(path) as target:
        target.database._connection.execute("PRAGMA max_page_count = 50")
        many = [row(f"user-{number:05}" + "x" * 200) for number in range(2000)]
        with pytest.raises(DependencyError, match="the disk is full") as caught:
            target.write(many)
        assert caught.value.exit_code is ExitCode.DEPENDENCY
        assert count(path) == 0
        target.database._connection.execute("PRAGMA max_page_count = 1000000")
        target.write(many)
    assert count(path) == 2000


LIMITED = """
import sys
from pathlib import Path
from migrator.core.errors import DependencyError
from migrator.auther.ways.sqlite import open_sqlite
from tests.auther.rows import row
try:
    with open_sqlite(Path(sys.argv[1]), bulk=sys.argv[2] == "bulk") as target:
        target.write([row(f"user-{n:05}" + "x" * 200) for n in range(5000)])
except DependencyError as error:
    print(error.message)
"""


@pytest.mark.parametrize("mode", ["bulk", "plain"])
def test_a_disk_that_takes_no_more_is_told_apart_from_a_fault(path: Path, mode: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), mode],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "auther.db: the disk does not take more" in ran.stdout
    with open_sqlite(path, bulk=mode == "bulk") as target:
        target.write([row("ada")])
    assert count(path) == 1


def test_unknown_tables_are_refused_by_name(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE user (id text, email text)")
    with (
        pytest.raises(RefusedError, match=r"user has no column name, email_verified"),
        open_sqlite(path),
    ):
        pass


def test_a_column_that_needs_an_unknown_value_is_refused(path: Path) -> None:
    with open_sqlite(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE user RENAME TO old")
        connection.execute("CREATE TABLE user AS SELECT *, 1 AS tenant FROM old")
        connection.execute("DROP TABLE user")
        connection.execute("ALTER TABLE old RENAME TO user")
        connection.execute("ALTER TABLE user ADD COLUMN nickname text")
        connection.execute("ALTER TABLE session ADD COLUMN active_team text DEFAULT 'x' NOT NULL")
        connection.commit()
    with open_sqlite(path) as target:
        target.write([row("ada")])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE account2 (id text, tenant text NOT NULL)")
        connection.execute("DROP TABLE account")
        connection.execute(
            "CREATE TABLE account (id text PRIMARY KEY, account_id text, provider_id text,"
            " user_id text, access_token text, refresh_token text, id_token text, scope text,"
            " password text, created_at integer, updated_at integer, tenant text NOT NULL)"
        )
        connection.commit()
    with pytest.raises(RefusedError, match=r"account\.tenant needs a value"), open_sqlite(path):
        pass


def test_a_file_that_is_no_database_is_said_to_be_none(path: Path) -> None:
    path.write_text("not a database, but long enough to be looked at" * 50)
    with pytest.raises(DependencyError, match="not a SQLite database"), open_sqlite(path):
        pass


def test_reading_makes_no_file_and_writes_nothing(path: Path) -> None:
    with pytest.raises(UsageError, match="no Auther database"), open_existing(path):
        pass
    with open_sqlite(path):
        pass
    with open_existing(path) as target, pytest.raises(DependencyError, match="may not be written"):
        target.write([row("ada")])
