"""The import beside the raw ceiling: `python -m tests.benchmarks.bench_import --users 500000 --processes 2`.

The ceiling is what SQLite alone takes: executemany of ready-made rows by the same statements into the same
tables, with the same transaction size and the same pragmas. All are measured in turn, so that a busy machine
slows all of them. `again` is the same import once more, when everybody is there already.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from migrator.auther.interface import AccountRow, UserRow
from migrator.auther.ways.database import Insert
from migrator.auther.ways.sqlite import CACHE_KIB, open_sqlite
from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from phases import p1_import
from tests.benchmarks.processes import Watch, cpu_s
from tests.parts.postgres import PostgresServer, embedded_binaries, start_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE_ROWS = 5000
TIMEOUT_S = 1800
CONFIG = """
[migration]
name = "bench"
key = "env:BENCH_KEY"
[legacy]
dsn = "env:BENCH_DSN"
[auther]
database = "auther.db"
[import]
verified_when = "confirmed"
page_rows = {page_rows}
[stage]
signing_key = "env:BENCH_KEY"
expected_instances = 1
"""
# Columns and their order as Devise's generator makes them; the hashes have bcrypt's form.
MAKE_USERS = """
CREATE TABLE users (
  id bigserial PRIMARY KEY, email varchar NOT NULL DEFAULT '', encrypted_password varchar NOT NULL DEFAULT '',
  reset_password_token varchar, reset_password_sent_at timestamp, remember_created_at timestamp,
  sign_in_count integer NOT NULL DEFAULT 0, current_sign_in_at timestamp, last_sign_in_at timestamp,
  current_sign_in_ip varchar, last_sign_in_ip varchar, confirmation_token varchar, confirmed_at timestamp,
  confirmation_sent_at timestamp, unconfirmed_email varchar, failed_attempts integer NOT NULL DEFAULT 0,
  unlock_token varchar, locked_at timestamp, name varchar, deleted_at timestamp,
  created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
INSERT INTO users (email, encrypted_password, sign_in_count, confirmed_at, name, created_at, updated_at)
SELECT 'member' || n || '@example' || n % 97 || '.org',
       '$2a$12$' || substr(translate(encode(sha256(n::text::bytea), 'base64'), '+=', './'), 1, 43)
         || substr(md5(n::text), 1, 10),
       n % 50, now() - n * interval '1 minute', 'Member ' || n || ' Żółw',
       now() - n * interval '1 minute', now()
FROM generate_series(1, {users}) AS n;
CREATE UNIQUE INDEX index_users_on_email ON users (email);
ANALYZE users
"""


@dataclass(frozen=True)
class Figure:
    """One run.

    Attributes:
        wall_s: Seconds by the wall clock.
        writer_s: Processor seconds of the process that writes.
        reader_s: Of the process that reads, where there is one.
        postgres_s: Of all of PostgreSQL's.
        resident_mb: The most resident memory of each process.
        sum_mb: The most of both at one time.
        shared_out_mb: The same, pages that both map counted once.
    """

    wall_s: float
    writer_s: float
    reader_s: float
    postgres_s: float = 0
    resident_mb: tuple[float, ...] = ()
    sum_mb: float = 0
    shared_out_mb: float = 0


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.part:
        print(json.dumps(asdict(_measure(arguments.part, Path(arguments.folder)))))
        return
    server = start_postgres(embedded_binaries())
    try:
        with psycopg.connect(server.create_database("bench"), autocommit=True) as connection:
            for statement in MAKE_USERS.format(users=arguments.users).split(";\n"):
                connection.execute(statement.encode())
        with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
            _compare(Bench(server, Path(folder), arguments.users), arguments)
    finally:
        server.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", choices=["1", "2", "both"], default="both")
    parser.add_argument("--part", choices=["import", "raw"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(bench: Bench, arguments: argparse.Namespace) -> None:
    processes = [1, 2] if arguments.processes == "both" else [int(arguments.processes)]
    figures: dict[str, list[Figure]] = {}
    for number in range(1, arguments.rounds + 1):
        for name, figure in bench.one_round(processes):
            figures.setdefault(name, []).append(figure)
            print(f"round {number} {name:9} {_said(figure, bench.users)}", flush=True)
    raw = figures.pop("raw")
    for name, found in figures.items():
        ratios = [r.wall_s / f.wall_s for f, r in zip(found, raw, strict=True)]
        best = min(f.wall_s for f in raw) / min(f.wall_s for f in found)
        cpu = min(f.writer_s for f in raw) / min(f.writer_s + f.reader_s for f in found)
        print(
            f"{name} / raw ceiling: median {statistics.median(ratios):.2f}, best of each {best:.2f}; "
            f"by processor time of writer and reader {cpu:.2f}"
        )


@dataclass
class Bench:
    """A server with users and a folder to import them into."""

    server: PostgresServer
    folder: Path
    users: int

    def one_round(self, processes: list[int]) -> Iterator[tuple[str, Figure]]:
        """Import with so many processes each, then write the same rows raw."""
        for number in processes:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            settings = CONFIG.format(page_rows=PAGE_ROWS)
            settings = settings.replace("[import]", f"[import]\nprocesses = {number}")
            (folder / "migrator.toml").write_text(settings)
            with psycopg.connect(self.server.dsn("bench"), autocommit=True) as connection:
                connection.execute("DROP TABLE IF EXISTS migrator_identity, migrator_instance")
            yield f"import {number}", self._run("import", folder)
            yield f"again {number}", self._run("import", folder)
            (folder / "auther.db").replace(self.folder / "rows.db")
        yield "raw", self._run("raw", Path(tempfile.mkdtemp(dir=self.folder)))

    def _run(self, part: str, folder: Path) -> Figure:
        with psycopg.connect(self.server.dsn("bench"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        environment = os.environ | {
            "BENCH_DSN": self.server.dsn("bench"),
            "BENCH_KEY": "b" * 40,
            "BENCH_ROWS": str(self.folder / "rows.db"),
        }
        command = [sys.executable, "-m", "tests.benchmarks.bench_import", "--part", part]
        before = cpu_s(self.server.process.pid)
        with (
            subprocess.Popen(
                [*command, "--folder", str(folder)], env=environment, stdout=subprocess.PIPE
            ) as ran,
            Watch(ran.pid) as watch,
        ):
            said, _ = ran.communicate(timeout=TIMEOUT_S)
        return replace(
            Figure(**json.loads(said.splitlines()[-1])),
            postgres_s=cpu_s(self.server.process.pid) - before,
            resident_mb=tuple(watch.resident_mb.values()),
            sum_mb=watch.sum_mb,
            shared_out_mb=watch.shared_out_mb,
        )


def _said(figure: Figure, users: int) -> str:
    each = " + ".join(f"{size:.0f}" for size in figure.resident_mb)
    return (
        f"{users / figure.wall_s:8,.0f} users/s  wall {figure.wall_s:6.2f} s  "
        f"CPU: writer {figure.writer_s:6.2f} s, reader {figure.reader_s:5.2f} s, "
        f"PostgreSQL {figure.postgres_s:5.2f} s  memory: {each} MB, at most {figure.sum_mb:.0f} MB "
        f"together, shared pages once {figure.shared_out_mb:.0f} MB"
    )


def _measure(part: str, folder: Path) -> Figure:
    return measured(_prepare_import(folder) if part == "import" else _prepare_raw(folder))


def measured(work: Callable[[], object]) -> Figure:
    """Do some work and say what it took, in this process and in those that it started."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Figure(
        wall_s=time.perf_counter() - wall,
        writer_s=time.process_time() - cpu,
        reader_s=children.ru_utime + children.ru_stime,
    )


def _prepare_import(folder: Path) -> Callable[[], object]:
    ctx = make_context(
        load(folder / "migrator.toml"), root=folder, clock=SystemClock(), progress=Progress()
    )
    return lambda: p1_import.run(ctx)


def _prepare_raw(folder: Path) -> Callable[[], object]:
    """Rows in the order in which the import wrote them, ready in memory."""
    with closing(sqlite3.connect(os.environ["BENCH_ROWS"])) as connection:
        users = connection.execute('SELECT * FROM "user" ORDER BY rowid').fetchall()
        accounts = connection.execute(
            "SELECT id, account_id, provider_id, user_id, password, created_at, updated_at"
            " FROM account ORDER BY rowid"
        ).fetchall()
    return lambda: _write_raw(folder / "auther.db", users, accounts)


def _write_raw(path: Path, users: list[tuple], accounts: list[tuple]) -> None:
    insert_user = Insert("user", UserRow._fields, ()).one_row()
    insert_account = Insert("account", AccountRow._fields, ()).one_row()
    with open_sqlite(path):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        for start in range(0, len(users), PAGE_ROWS):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert_user, users[start : start + PAGE_ROWS])
            connection.executemany(insert_account, accounts[start : start + PAGE_ROWS])
            connection.execute("COMMIT")
        connection.execute("CREATE INDEX account_user_id_idx ON account (user_id)")
        connection.execute("PRAGMA journal_mode = DELETE")


if __name__ == "__main__":
    main()
