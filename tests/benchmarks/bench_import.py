"""The import beside the raw ceiling: `python -m tests.benchmarks.bench_import [--users N] [--rounds N]`.

The ceiling is what SQLite alone takes: executemany of ready-made rows into the same tables with the same
transaction size, in the same journal mode. Both are measured in turn, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from migrator.auther.database import Insert
from migrator.auther.interface import AccountRow, UserRow
from migrator.auther.sqlite import open_sqlite
from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from phases import p1_import
from tests.parts.postgres import embedded_binaries, start_postgres

if TYPE_CHECKING:
    from collections.abc import Callable

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
        cpu_s: Processor seconds of this process, PostgreSQL's not included.
        peak_mb: Peak resident memory in megabytes.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.part:
        print(json.dumps(asdict(_measure(arguments.part, Path(arguments.folder)))))
        return
    server = start_postgres(embedded_binaries())
    try:
        dsn = server.create_database("bench")
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in MAKE_USERS.format(users=arguments.users).split(";\n"):
                connection.execute(statement.encode())
        _compare(dsn, arguments.users, arguments.rounds)
    finally:
        server.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", choices=["import", "raw"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(dsn: str, users: int, rounds: int) -> None:
    figures: dict[str, list[Figure]] = {"import": [], "raw": []}
    with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
        rows = Path(folder) / "rows.db"
        for number in range(rounds):
            for part in ("import", "raw"):
                figures[part].append(_run(part, Path(folder) / f"{part}{number}", dsn, rows))
                _show(f"round {number + 1} {part:6}", figures[part][-1], users)
    best = {part: min(found, key=lambda f: f.wall_s) for part, found in figures.items()}
    for part, figure in best.items():
        _show(f"best    {part:6}", figure, users)
    ratios = [r.wall_s / i.wall_s for i, r in zip(figures["import"], figures["raw"], strict=True)]
    print(
        f"import / raw ceiling: median {statistics.median(ratios):.2f}, best of each "
        f"{best['raw'].wall_s / best['import'].wall_s:.2f}"
    )


def _run(part: str, folder: Path, dsn: str, rows: Path) -> Figure:
    folder.mkdir()
    (folder / "migrator.toml").write_text(CONFIG.format(page_rows=PAGE_ROWS))
    environment = os.environ | {"BENCH_DSN": dsn, "BENCH_KEY": "b" * 40, "BENCH_ROWS": str(rows)}
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS migrator_identity, migrator_instance")
        connection.execute("CHECKPOINT")
    command = [sys.executable, "-m", "tests.benchmarks.bench_import"]
    ran = subprocess.run(
        [*command, "--part", part, "--folder", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    if not rows.exists():
        (folder / "auther.db").rename(rows)
    return Figure(**json.loads(ran.stdout.splitlines()[-1]))


def _show(what: str, figure: Figure, users: int) -> None:
    print(
        f"{what}: {users / figure.wall_s:8,.0f} users/s  wall {figure.wall_s:6.2f} s  "
        f"CPU {figure.cpu_s:6.2f} s  peak {figure.peak_mb:5.0f} MB",
        flush=True,
    )


def _measure(part: str, folder: Path) -> Figure:
    work = _prepare_import(folder) if part == "import" else _prepare_raw(folder)
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Figure(time.perf_counter() - wall, time.process_time() - cpu, _peak_mb())


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


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
        connection.execute("PRAGMA cache_size = -32768")
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
