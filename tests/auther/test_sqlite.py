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

from migrator.auther.interface import AccountRow, Mapped, TargetChangedError, UserRow
from migrator.auther.sqlite import open_existing, open_sqlite
from migrator.core.errors import DependencyError, ExitCode, RefusedError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def row(name: str, *, email: str = "", username: str | None = None) -> Mapped:
    user = UserRow(
        name, name, email or f"{name}@x.org", 1, None, 1, 2, "user", 0, None, None, username, None
    )
    account = AccountRow(f"a-{name}", name, "credential", name, "value", 1, 2)
    return Mapped(name, user, (account,), None, None, ())


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


def test_what_is_there_is_found_by_id_address_name_and_identity(path: Path) -> None:
    github = AccountRow("g", "77", "github", "ada", None, 1, 2)
    ada = row("ada", username="ada_l")
    with open_sqlite(path) as target:
        target.write([ada._replace(accounts=(*ada.accounts, github))])
    wanted = row("eve", email="ada@x.org", username="ada_l")
    wanted = wanted._replace(accounts=(github._replace(id="h", user_id="eve"),))
    with open_existing(path) as target:
        found = target.find([wanted, row("ada"), row("new")])
    assert found.ids == {"ada"}
    assert found.emails == {"ada@x.org": "ada"}
    assert found.usernames == {"ada_l": "ada"}
    assert found.subjects == {("github", "77"): "ada"}


@pytest.mark.parametrize(
    "clash", [row("ada"), row("eve", email="ada@x.org"), row("eve", username="ada_l")]
)
def test_a_page_that_meets_somebody_else_is_not_written_at_all(path: Path, clash: Mapped) -> None:
    with open_sqlite(path) as target:
        target.write([row("ada", username="ada_l")])
        with pytest.raises(TargetChangedError):
            target.write([row("bob"), clash, row("cid")])
    assert count(path) == count(path, "account") == 1


def test_an_account_never_stands_without_its_user(path: Path) -> None:
    stray = row("bob")._replace(accounts=(AccountRow("s", "s", "x", "nobody", None, 1, 2),))
    with open_sqlite(path) as target, pytest.raises(TargetChangedError):
        target.write([stray])
    assert count(path) == 0


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
        target._database._connection.execute("PRAGMA max_page_count = 50")
        many = [row(f"user-{number:05}" + "x" * 200) for number in range(2000)]
        with pytest.raises(DependencyError, match="the disk is full") as caught:
            target.write(many)
        assert caught.value.exit_code is ExitCode.DEPENDENCY
        assert count(path) == 0
        target._database._connection.execute("PRAGMA max_page_count = 1000000")
        target.write(many)
    assert count(path) == 2000


LIMITED = """
import sys
from pathlib import Path
from migrator.core.errors import DependencyError
from tests.auther.test_sqlite import open_sqlite, row
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


def test_the_account_index_is_made_once(path: Path) -> None:
    with open_sqlite(path) as target:
        assert target.ensure_account_index()
        assert not target.ensure_account_index()
        target.drop_account_index()
        assert target.ensure_account_index()


def test_removing_a_user_takes_everything_along(path: Path) -> None:
    with open_sqlite(path) as target:
        target.write([row("ada"), row("bob")])
        assert target.remove(["ada", "unknown"]) == 1
    assert count(path) == count(path, "account") == 1
