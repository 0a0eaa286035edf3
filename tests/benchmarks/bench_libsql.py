"""The import into a libSQL server beside the raw ceiling: `python -m tests.benchmarks.bench_libsql`.

The ceiling is the best multi-row insert of the rows that the import has written, ready in memory, into the same
tables of the same server; several sizes are tried. The import reads PostgreSQL, maps, keeps its record of what is
ours there, and writes. Both in turn, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import psycopg

from migrator.auther.interface import AccountRow, UserRow
from migrator.auther.ways.database import Run
from migrator.auther.ways.libsql import open_libsql
from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from phases import p1_import
from tests.benchmarks import raw_libsql
from tests.benchmarks.bench_import import MAKE_USERS
from tests.parts.postgres import embedded_binaries, start_postgres
from tests.parts.sqld import Sqld, start

CONFIG = """
[migration]
name = "bench"
key = "env:BENCH_KEY"
[legacy]
dsn = "env:BENCH_DSN"
[auther]
kind = "libsql"
url = "{url}"
[import]
verified_when = "confirmed"
account_index = false
[stage]
signing_key = "env:BENCH_KEY"
expected_instances = 1
"""
READ_ROWS = 5000
LEAST_RATIO = 0.8


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments, _ = parser.parse_known_args()
    server = start_postgres(embedded_binaries())
    try:
        os.environ |= {"BENCH_DSN": server.create_database("bench"), "BENCH_KEY": "b" * 40}
        _sql(*MAKE_USERS.format(users=arguments.users).split(";\n"))
        _compare(arguments.users, arguments.rounds)
    finally:
        server.stop()


def _compare(users: int, rounds: int) -> None:
    ratios = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
            import_s, rows = _import(Path(folder))
        raw = {size: _raw(rows, size) for size in raw_libsql.SIZES}
        raw_s = min(raw.values())
        ratios.append(raw_s / import_s)
        tried = ", ".join(f"{size} a time {users / s:,.0f}" for size, s in raw.items())
        print(
            f"round {number + 1}: import {users / import_s:,.0f} users/s, raw {tried}", flush=True
        )
    ratio = statistics.median(ratios)
    verdict = "holds" if ratio >= LEAST_RATIO else "misses"
    print(f"libSQL import / raw ceiling: median {ratio:.2f}; at least {LEAST_RATIO:g}: {verdict}")


def _import(folder: Path) -> tuple[float, tuple[raw_libsql.Rows, raw_libsql.Rows]]:
    _sql("DROP TABLE IF EXISTS migrator_identity, migrator_instance", "CHECKPOINT")
    server = _server(folder)
    try:
        (folder / "migrator.toml").write_text(CONFIG.format(url=server.base_url))
        ctx = make_context(
            load(folder / "migrator.toml"), root=folder, clock=SystemClock(), progress=Progress()
        )
        began = time.perf_counter()
        p1_import.run(ctx)
        return time.perf_counter() - began, _rows(server)
    finally:
        server.remove()


def _raw(rows: tuple[raw_libsql.Rows, raw_libsql.Rows], size: int) -> float:
    with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
        server = _server(Path(folder))
        try:
            with open_libsql(server.base_url, writing=True):
                pass
            return raw_libsql.write(server.base_url, *rows, size=size)
        finally:
            server.remove()


def _server(folder: Path) -> Sqld:
    (folder / "sqld").mkdir()
    return start(folder / "sqld")


def _rows(server: Sqld) -> tuple[raw_libsql.Rows, raw_libsql.Rows]:
    """Read what was written, in the order in which it was."""
    with open_libsql(server.base_url, writing=False) as target:
        found: list[raw_libsql.Rows] = []
        for table, columns in (("user", UserRow._fields), ("account", AccountRow._fields)):
            query = f'SELECT {", ".join(columns)}, rowid FROM "{table}" WHERE rowid > ? ORDER BY rowid LIMIT ?'
            rows: raw_libsql.Rows = []
            after = 0
            while page := target.database.ask(Run(query, [after, READ_ROWS]))[0]:
                rows.extend(row[:-1] for row in page)
                after = page[-1][-1]
            found.append(rows)
    return found[0], found[1]


def _sql(*statements: str) -> None:
    with psycopg.connect(os.environ["BENCH_DSN"], autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


if __name__ == "__main__":
    main()
