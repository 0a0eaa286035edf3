"""The import beside the raw ceiling: `python -m tests.benchmarks.bench_import --users 500000 --processes 2`.

The ceiling is what SQLite alone takes: ready-made rows in the fastest way that we know, which is the import's
own, by the same statements into the same tables, with the same transaction size and the same pragmas. Each import
and a ceiling of its own take turns, a few pages each, so that a busy machine slows both alike; what is compared are
processor times of whole runs, with beginning and end. The ceiling counts only while it writes: its rows are made
ready in between. By option, `row by row` is executemany of the same rows, `again` the import once more, when
everybody is there already.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from migrator.auther.interface import AccountRow, Alike, UserRow
from migrator.auther.ways.database import Insert, InsertAlike, Run
from migrator.auther.ways.sqlite import CACHE_KIB, open_sqlite
from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from phases import p1_import
from tests.benchmarks.pairs import MIN_VALUES, Middle
from tests.benchmarks.processes import Watch, cpu_s
from tests.benchmarks.turns import hand_over, in_turns
from tests.parts.postgres import PostgresServer, embedded_binaries, start_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE_ROWS = 5000
# Fewer at a time, and the import would hardly ever read ahead while it writes.
TURN_USERS = 5 * PAGE_ROWS
MAX_RESIDENT_MB = 150
PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
)
# Of the ceiling, by the processor time of the process that writes.
BOUNDS = {"import 1": 0.6, "import 2": 0.8}
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
        writer_s: Processor seconds of the process that writes.
        reader_s: Of the process that reads, where there is one.
        wall_s: Seconds by the wall clock, what it waited for others included; 0 where nobody looked.
        postgres_s: Of all of PostgreSQL's.
        resident_mb: The most resident memory of each process.
        sum_mb: The most of both at one time.
        shared_out_mb: The same, pages that both map counted once.
    """

    writer_s: float
    reader_s: float = 0
    wall_s: float = 0
    postgres_s: float = 0
    resident_mb: tuple[float, ...] = ()
    sum_mb: float = 0
    shared_out_mb: float = 0


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.part:
        print(json.dumps(asdict(PARTS[arguments.part](Path(arguments.folder)))))
        return
    server = start_postgres(embedded_binaries())
    try:
        with psycopg.connect(server.create_database("bench"), autocommit=True) as connection:
            for statement in MAKE_USERS.format(users=arguments.users).split(";\n"):
                connection.execute(statement.encode())
        with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
            _compare(Bench(server, Path(folder)), arguments)
    finally:
        server.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=MIN_VALUES)
    parser.add_argument("--processes", choices=["1", "2", "both"], default="both")
    parser.add_argument("--again", action="store_true", help="import once more each time")
    parser.add_argument("--row-by-row", action="store_true", help="executemany each time")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(bench: Bench, arguments: argparse.Namespace) -> None:
    processes = ["1", "2"] if arguments.processes == "both" else [arguments.processes]
    bench.make_ready()
    ratios: dict[str, list[float]] = {}
    resident_mb = 0.0
    for number in range(1, arguments.rounds + 1):
        for name, figure, raw in bench.one_round(
            processes, again=arguments.again, row_by_row=arguments.row_by_row
        ):
            beside = ""
            if raw:
                ratio = raw.writer_s / figure.writer_s
                ratios.setdefault(name, []).append(ratio)
                beside = f" beside {raw.writer_s:.2f} s: {ratio:.3f}"
            print(f"round {number} {name:10} {_said(figure, beside)}", flush=True)
            if name in BOUNDS:
                resident_mb = max(resident_mb, *figure.resident_mb)
    for name, found in ratios.items():
        print(f"{name:10} {_judged(found, BOUNDS.get(name))}")
    verdict = "holds" if resident_mb < MAX_RESIDENT_MB else "misses"
    print(
        f"memory of each process at most {resident_mb:.0f} MB (under {MAX_RESIDENT_MB}): {verdict}"
    )


def _judged(ratios: list[float], bound: float | None) -> str:
    if len(ratios) < MIN_VALUES:
        return f"{len(ratios)} of {MIN_VALUES} rounds: nothing can be said"
    middle = Middle.of(ratios)
    said = f"raw ceiling / it: median {middle.median:.3f} (95 %: {middle.low:.3f} to {middle.high:.3f})"
    return said if bound is None else f"{said}, at least {bound}: {middle.verdict(at_least=bound)}"


@dataclass
class Bench:
    """A server with users and a folder to import them into."""

    server: PostgresServer
    folder: Path

    def make_ready(self) -> None:
        """Have the rows that the ceiling writes."""
        with self._import_folder("1") as folder:
            self._run(("import", folder))
            (folder / "auther.db").replace(self.folder / "rows.db")

    def one_round(
        self, processes: list[str], *, again: bool, row_by_row: bool
    ) -> Iterator[tuple[str, Figure, Figure | None]]:
        """Measure everything once beside a raw ceiling of its own."""
        for number in processes:
            with self._import_folder(number) as folder:
                yield f"import {number}", *self._beside_raw("import", folder)
                if again:
                    yield f"again {number}", *self._run(("import", folder)), None
        if row_by_row:
            with self._new_folder() as folder:
                yield "row by row", *self._beside_raw("rows", folder)

    def _beside_raw(self, part: str, folder: Path) -> tuple[Figure, Figure]:
        with self._new_folder() as other:
            figure, raw = self._run((part, folder), ("raw", other))
        return figure, raw

    @contextmanager
    def _new_folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield Path(folder)

    @contextmanager
    def _import_folder(self, processes: str) -> Iterator[Path]:
        settings = CONFIG.format(page_rows=PAGE_ROWS)
        settings = settings.replace("[import]", f"[import]\nprocesses = {processes}")
        with psycopg.connect(self.server.dsn("bench"), autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS migrator_identity, migrator_instance")
        with self._new_folder() as folder:
            (folder / "migrator.toml").write_text(settings)
            yield folder

    def _run(self, *parts: tuple[str, Path]) -> list[Figure]:
        """Run parts in turns and give their figures; memory and PostgreSQL's time are the first one's."""
        with psycopg.connect(self.server.dsn("bench"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        before = cpu_s(self.server.process.pid)
        with ExitStack() as running:
            ran = [running.enter_context(self._started(*part)) for part in parts]
            watch = running.enter_context(Watch(ran[0].pid))
            said = in_turns(*ran)
        first, *others = (Figure(**json.loads(line)) for line in said)
        first = replace(
            first,
            postgres_s=cpu_s(self.server.process.pid) - before,
            resident_mb=tuple(watch.resident_mb.values()),
            sum_mb=watch.sum_mb,
            shared_out_mb=watch.shared_out_mb,
        )
        return [first, *others]

    def _started(self, part: str, folder: Path) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "BENCH_DSN": self.server.dsn("bench"),
            "BENCH_KEY": "b" * 40,
            "BENCH_ROWS": str(self.folder / "rows.db"),
        }
        command = [sys.executable, "-m", "tests.benchmarks.bench_import", "--part", part]
        return subprocess.Popen(
            [*command, "--folder", str(folder)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )


def _said(figure: Figure, beside: str) -> str:
    each = " + ".join(f"{size:.0f}" for size in figure.resident_mb)
    return (
        f"CPU: writer {figure.writer_s:5.2f} s{beside}, reader {figure.reader_s:.2f} s, "
        f"PostgreSQL {figure.postgres_s:.2f} s  memory: {each} MB, at most {figure.sum_mb:.0f} MB "
        f"together, shared pages once {figure.shared_out_mb:.0f} MB"
    )


def measured(work: Callable[[], object]) -> Figure:
    """Do some work and say what it took, in this process and in those that it started."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Figure(
        writer_s=time.process_time() - cpu,
        reader_s=children.ru_utime + children.ru_stime,
        wall_s=time.perf_counter() - wall,
    )


class _Turns(Progress):
    """Lets others have a turn after so many users."""

    @contextmanager
    def task(self, *_: object, **__: object) -> Iterator[_Turns]:
        self._left = TURN_USERS
        yield self

    def advance(self, steps: int) -> None:
        self._left -= steps
        if self._left <= 0:
            self._left = TURN_USERS
            hand_over()


def _import(folder: Path) -> Figure:
    ctx = make_context(
        load(folder / "migrator.toml"), root=folder, clock=SystemClock(), progress=_Turns()
    )
    hand_over()
    return measured(lambda: p1_import.run(ctx))


def _raw(folder: Path) -> Figure:
    """Rows in the order in which the import wrote them, bound to their statements in memory."""
    return _written(
        folder / "auther.db",
        lambda users, accounts: [
            *InsertAlike("user", users).statements(),
            *InsertAlike("account", accounts).statements(),
        ],
        sqlite3.Connection.execute,
    )


def _rows(folder: Path) -> Figure:
    """The same rows, one by one."""
    user, account = (
        Insert(table, row._fields, ()).one_row()
        for table, row in (("user", UserRow), ("account", AccountRow))
    )
    return _written(
        folder / "auther.db",
        lambda users, accounts: [Run(user, users.rows()), Run(account, accounts.rows())],
        sqlite3.Connection.executemany,
    )


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


def _written(
    path: Path,
    made: Callable[[Alike, Alike], list[Run]],
    execute: Callable[[sqlite3.Connection, str, Any], object],
) -> Figure:
    """Write all pages, each made ready before its time counts."""
    with open_sqlite(path):
        pass
    turns, used_s = _Turns(), 0.0
    hand_over()
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        turns.task(),
    ):
        for each in PRAGMAS:
            connection.execute(each)
        for users, accounts in _pages():
            statements = made(users, accounts)
            began_s = time.process_time()
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements:
                execute(connection, *statement)
            connection.execute("COMMIT")
            used_s += time.process_time() - began_s
            turns.advance(len(users))
        began_s = time.process_time()
        connection.execute("CREATE INDEX account_user_id_idx ON account (user_id)")
        connection.execute("PRAGMA journal_mode = DELETE")
        used_s += time.process_time() - began_s
    return Figure(writer_s=used_s)


PARTS = {"import": _import, "raw": _raw, "rows": _rows}

if __name__ == "__main__":
    main()
