"""The import beside the raw ceiling: `python -m tests.benchmarks.bench_import --users 500000 --processes 2`.

The ceiling is what SQLite alone takes: ready-made rows in the fastest way that we know, which is the import's
own, by the same statements into the same tables, with the same transaction size and the same pragmas. Each import
is followed by its own ceiling, so that a busy machine slows both; what holds on such a machine are processor
times. `row by row` is executemany of the same rows, `again` the import once more, when everybody is there already.
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

from migrator.auther.interface import AccountRow, Alike, UserRow
from migrator.auther.ways.database import Insert, InsertAlike, Run
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
    parser.add_argument("--again", action="store_true", help="import once more each time")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(bench: Bench, arguments: argparse.Namespace) -> None:
    processes = [1, 2] if arguments.processes == "both" else [int(arguments.processes)]
    pairs: dict[str, list[tuple[Figure, Figure]]] = {}
    for number in range(1, arguments.rounds + 1):
        for name, figure, raw in bench.one_round(processes, again=arguments.again):
            print(f"round {number} {name:10} {_said(figure, bench.users)}", flush=True)
            if raw is not None:
                pairs.setdefault(name, []).append((figure, raw))
    for name, found in pairs.items():
        wall, alone, all_ = (
            statistics.median(ratio)
            for ratio in zip(*(_ratios(figure, raw) for figure, raw in found), strict=True)
        )
        print(
            f"{name} / raw ceiling, medians: by the clock {wall:.2f}; by processor time {alone:.2f}"
            f" of the process that writes, {all_:.2f} of both"
        )


def _ratios(figure: Figure, raw: Figure) -> tuple[float, float, float]:
    both_s = figure.writer_s + figure.reader_s
    return raw.wall_s / figure.wall_s, raw.writer_s / figure.writer_s, raw.writer_s / both_s


@dataclass
class Bench:
    """A server with users and a folder to import them into."""

    server: PostgresServer
    folder: Path
    users: int

    def one_round(
        self, processes: list[int], *, again: bool
    ) -> Iterator[tuple[str, Figure, Figure | None]]:
        """Import with so many processes each, each time beside the raw ceiling."""
        for number in processes:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            settings = CONFIG.format(page_rows=PAGE_ROWS)
            settings = settings.replace("[import]", f"[import]\nprocesses = {number}")
            (folder / "migrator.toml").write_text(settings)
            with psycopg.connect(self.server.dsn("bench"), autocommit=True) as connection:
                connection.execute("DROP TABLE IF EXISTS migrator_identity, migrator_instance")
            figure = self._run("import", folder)
            if again:
                yield f"again {number}", self._run("import", folder), None
            (folder / "auther.db").replace(self.folder / "rows.db")
            raw = self._run("raw", Path(tempfile.mkdtemp(dir=self.folder)))
            yield "raw", raw, None
            yield f"import {number}", figure, raw
        by_row = self._run("rows", Path(tempfile.mkdtemp(dir=self.folder)))
        yield "row by row", by_row, raw

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
    return measured(PARTS[part](folder))


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
    """Rows in the order in which the import wrote them, bound to their statements in memory."""
    pages = [
        [*InsertAlike("user", users).statements(), *InsertAlike("account", accounts).statements()]
        for users, accounts in _pages()
    ]
    return lambda: _write(folder / "auther.db", pages, _write_statements)


def _prepare_rows(folder: Path) -> Callable[[], object]:
    """The same rows, one by one."""
    inserts = Insert("user", UserRow._fields, ()), Insert("account", AccountRow._fields, ())
    sql = [insert.one_row() for insert in inserts]
    pages = [[*zip(sql, (part.rows() for part in page), strict=True)] for page in _pages()]
    return lambda: _write(folder / "auther.db", pages, _write_rows)


def _pages() -> Iterator[tuple[Alike, Alike]]:
    """Read what the import wrote."""
    with closing(sqlite3.connect(os.environ["BENCH_ROWS"])) as connection:
        readers = [
            connection.execute(f'SELECT {", ".join(fields)} FROM "{table}" ORDER BY rowid')
            for table, fields in (("user", UserRow._fields), ("account", AccountRow._fields))
        ]
        while users := readers[0].fetchmany(PAGE_ROWS):
            accounts = readers[1].fetchmany(PAGE_ROWS)
            yield _alike(UserRow._fields, users), _alike(AccountRow._fields, accounts)


def _alike(columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> Alike:
    found = dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))
    same = {name: values[0] for name, values in found.items() if len(set(values)) == 1}
    return Alike(columns, same, {n: values for n, values in found.items() if n not in same})


def _write_statements(connection: sqlite3.Connection, page: list[Run]) -> None:
    for statement in page:
        connection.execute(*statement)


def _write_rows(connection: sqlite3.Connection, page: list[tuple[str, list[tuple]]]) -> None:
    for sql, rows in page:
        connection.executemany(sql, rows)


def _write(path: Path, pages: list, write: Callable[[sqlite3.Connection, list], None]) -> None:
    with open_sqlite(path):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        for page in pages:
            connection.execute("BEGIN IMMEDIATE")
            write(connection, page)
            connection.execute("COMMIT")
        connection.execute("CREATE INDEX account_user_id_idx ON account (user_id)")
        connection.execute("PRAGMA journal_mode = DELETE")


PARTS = {"import": _prepare_import, "raw": _prepare_raw, "rows": _prepare_rows}

if __name__ == "__main__":
    main()
