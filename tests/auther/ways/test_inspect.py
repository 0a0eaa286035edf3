from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from migrator.auther.ways.inspect import (
    Contents,
    look_at_file,
    look_inside,
)
from migrator.auther.ways.sqlite import open_existing, open_sqlite


@pytest.fixture
def auther(tmp_path: Path) -> Path:
    path = tmp_path / "auther.db"
    with open_sqlite(path), closing(sqlite3.connect(path)) as connection:
        people = [("u1", "o'brien@b.co"), ("u2", "rémi@exämple.com"), ("u3", 'q"@b.co')]
        connection.executemany(
            "INSERT INTO user (id, name, email, created_at, updated_at) VALUES (?, '', ?, 1, 1)",
            people,
        )
        connection.executemany(
            "INSERT INTO account (id, account_id, provider_id, user_id, password, created_at, updated_at)"
            " VALUES (?, 'x', ?, ?, ?, 1, 1)",
            [
                ("a1", "credential", "u1", "migrator:v1:bcrypt:peppers=none:$2a$04$x"),
                ("a2", "credential", "u2", "00:11"),
                ("a3", "github", "u2", None),
            ],
        )
        connection.commit()
    return path


def test_a_file_that_is_not_there_yet_can_be_made(tmp_path: Path) -> None:
    facts = look_at_file(tmp_path / "new" / "auther.db")
    assert not facts.exists
    assert facts.folder_writable
    assert facts.free_bytes > 0
    assert not (tmp_path / "new").exists()


def test_an_empty_file_counts_as_not_there(tmp_path: Path) -> None:
    (tmp_path / "auther.db").touch()
    assert not look_at_file(tmp_path / "auther.db").exists


def test_a_file_of_another_kind_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "auther.db").write_bytes(b"not a database at all" * 100)
    facts = look_at_file(tmp_path / "auther.db")
    assert facts.fault == "file is not a database"


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_tells_the_journal_mode_and_leaves_the_file_as_it_was(auther: Path, mode: str) -> None:
    with closing(sqlite3.connect(auther)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    before = auther.read_bytes()
    facts = look_at_file(auther)
    assert (facts.journal_mode, facts.locked, facts.fault) == (mode, False, "")
    assert auther.read_bytes() == before


def test_sees_that_somebody_is_writing(auther: Path) -> None:
    with closing(sqlite3.connect(auther, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert look_at_file(auther).locked
        writer.execute("ROLLBACK")
        assert not look_at_file(auther).locked


def test_an_exclusive_lock_is_no_fault_of_the_file(auther: Path) -> None:
    with closing(sqlite3.connect(auther, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        facts = look_at_file(auther)
    assert facts.locked
    assert not facts.fault


@pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="needs /proc to see other processes"
)
def test_names_the_process_that_has_it_open(auther: Path) -> None:
    hold = "import sys; handle = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(auther)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdout.readline()
    assert look_at_file(auther).opened_by == (holder.pid,)
    holder.communicate("")
    assert look_at_file(auther).opened_by == ()


def test_counts_what_is_inside(auther: Path) -> None:
    with open_existing(auther) as target:
        assert look_inside(target) == Contents(
            users=3, accounts=3, credentials=2, imported=1, account_index=False
        )


@pytest.mark.parametrize(
    ("index", "helps"),
    [
        ("(user_id)", True),
        ("(user_id, provider_id)", True),
        ("(provider_id, user_id)", False),
        ("(user_id) WHERE provider_id = 'credential'", False),
    ],
)
def test_only_an_index_that_begins_with_user_id_helps(
    auther: Path, index: str, helps: bool
) -> None:
    with closing(sqlite3.connect(auther)) as connection:
        connection.execute(f"CREATE INDEX one ON account {index}")
    with open_existing(auther) as target:
        assert look_inside(target).account_index is helps
