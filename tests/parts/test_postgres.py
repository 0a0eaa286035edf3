"""The databases that the fixtures hand out."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.parts.dump import DEVISE_600, parts
from tests.parts.postgres import PostgresServer, embedded_binaries, start_postgres

ROOT = Path(__file__).parents[2]


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def test_an_empty_database_has_no_tables(fresh_db: str) -> None:
    assert one(fresh_db, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert str(one(fresh_db, "SHOW server_version_num")).startswith("18")


def test_the_dump_is_loaded_whole(devise_db: str) -> None:
    assert one(devise_db, "SELECT count(*) FROM users") == 600
    assert one(devise_db, "SELECT count(*) FROM identities") == 48
    assert one(devise_db, "SELECT nextval('users_id_seq')") == 601
    foreign_keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
    assert one(devise_db, foreign_keys) == 13


def test_each_test_has_a_copy_of_its_own(
    postgres: PostgresServer, devise_template: str, devise_db: str
) -> None:
    with psycopg.connect(devise_db) as connection:
        connection.execute("DELETE FROM push_tokens")
    with postgres.temporary_database(template=devise_template) as other:
        assert one(other, "SELECT count(*) FROM push_tokens") == 150
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        one(other, "SELECT 1")


def test_rows_are_those_of_the_dump(devise_db: str) -> None:
    copies = [(s, rows) for s, rows in parts(DEVISE_600.read_text()) if rows is not None]
    for statement, rows in copies:
        query = statement.replace("FROM stdin", "TO STDOUT").encode()
        with psycopg.connect(devise_db) as connection, connection.cursor().copy(query) as copy:
            read = b"".join(bytes(block) for block in copy)
        assert read.decode() == rows, statement


def test_postgres_15_holds_the_same(pg15_devise_db: str) -> None:
    assert str(one(pg15_devise_db, "SHOW server_version_num")).startswith("15")
    assert one(pg15_devise_db, "SELECT count(*) FROM users") == 600


def test_psql_reaches_the_server(postgres: PostgresServer, fresh_db: str) -> None:
    done = subprocess.run(
        [postgres.binaries / "psql", fresh_db, "-Atc", "SELECT 6 * 7"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "42\n"


def test_a_wrong_password_is_refused(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        one(postgres.dsn("postgres").replace(postgres.password, "wrong"), "SELECT 1")


def test_a_server_starts_from_a_folder_that_is_closed_to_others(tmp_path: Path) -> None:
    package = embedded_binaries().parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, tmp_path / folder.name, ignore=lambda *_: ["pginstall"])
    tmp_path.chmod(0o700)
    server = start_postgres(tmp_path / package.name / "pginstall18" / "bin")
    try:
        assert one(server.dsn("postgres"), "SELECT 6 * 7") == 42
    finally:
        server.stop()


def test_stop_ends_the_server_and_removes_its_data() -> None:
    server = start_postgres(embedded_binaries())
    server.stop()
    server.stop()
    assert server.process.poll() is not None
    assert not server.directory.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal at a parent's end")
def test_the_server_ends_with_a_killed_parent() -> None:
    script = (
        "import time\n"
        "from tests.parts.postgres import *\n"
        "s = start_postgres(embedded_binaries())\n"
        "print(s.process.pid, s.directory, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        pid, directory = parent.stdout.readline().split()
        parent.send_signal(signal.SIGKILL)
    assert _gone(int(pid))
    shutil.rmtree(directory)


def _gone(pid: int) -> bool:
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
