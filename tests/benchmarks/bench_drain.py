"""A look at the session store beside the bare query: `python -m tests.benchmarks.bench_drain [--rows N] [--keys N]`.

Rails' session table on PostgreSQL: the census as the command takes it, of `--census` rows, killed in its middle and taken up
again, with its rate and memory; the rest of the rows is put into both tables by SQL, and looks are taken beside count(*) over
the session table. Redis: counts of all keys beside `redis-cli --scan`, each in a process of its own, and looks by the census.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from migrator.runner.gating.stores import session_store
from migrator.sessions.census import PAGE_ROWS
from tests.benchmarks.processes import Watch, cpu_s
from tests.parts.postgres import embedded_binaries, start_postgres
from tests.parts.redis import RedisServer, start_redis
from tests.setup.paths import use_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.metrics.interface import SessionsLook

SESSIONS = Path(__file__).parents[1] / "metrics" / "sessions.json"
KINDS = {row["name"]: row["data"] for row in json.loads(SESSIONS.read_text(encoding="utf-8"))}
# Of ten sessions three hold a user.
HOLDING_OF_TEN = 3
CONFIG = """
[migration]
name = "bench"
key = "env:BENCH_KEY"
[legacy]
dsn = "env:BENCH_DSN"
session_ttl = "14d"
{store}
[auther]
database = "auther.db"
[import]
verified_when = "confirmed"
[stage]
signing_key = "file:stage.key"
expected_instances = 1
[drain]
statement_timeout = "10m"
census_rows_per_s = 1000000
"""
REDIS = """
session_store = "redis"
[legacy.sessions]
url = "env:BENCH_REDIS"
"""
MAKE_SESSIONS = """
CREATE TABLE sessions (
  id bigserial PRIMARY KEY, session_id varchar NOT NULL, data text,
  created_at timestamp NOT NULL DEFAULT now(), updated_at timestamp NOT NULL)
"""
ADD_SESSIONS = """
DROP INDEX IF EXISTS by_time;
INSERT INTO sessions (session_id, data, updated_at)
  SELECT '2::' || md5(i::text), CASE WHEN i % 10 < {holding} THEN '{user}' ELSE '{visitor}' END,
         now() AT TIME ZONE 'UTC' - interval '1 hour' - random() * interval '14 days'
  FROM generate_series({first}, {last}) AS i;
CREATE INDEX by_time ON sessions (updated_at);
VACUUM (ANALYZE) sessions
"""
# What the census would have written.
ADD_TO_CENSUS = """
INSERT INTO migrator_session
  SELECT id, CASE WHEN id % 10 < {holding} THEN 1 ELSE 0 END, CASE WHEN id % 10 < {holding} THEN '42' END,
         extract(epoch FROM updated_at AT TIME ZONE 'UTC')::bigint / 3600
  FROM sessions WHERE id >= {first};
VACUUM (ANALYZE) migrator_session
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--census", type=int, default=200_000)
    parser.add_argument("--keys", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--look", metavar="FOLDER", help="Only look, for the other process.")
    arguments = parser.parse_args()
    if arguments.look:
        _look_and_say(Path(arguments.look))
        return
    use_parts()
    with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
        os.environ |= {"BENCH_KEY": "b" * 40, "BENCH_DSN": "postgresql:///none"}
        if arguments.rows:
            _rails(Path(folder), arguments.rows, arguments.census, arguments.rounds)
        if arguments.keys:
            _redis(Path(folder), arguments.keys, arguments.rounds)


def _rails(folder: Path, rows: int, by_census: int, rounds: int) -> None:
    server = start_postgres(embedded_binaries())
    try:
        os.environ["BENCH_DSN"] = server.create_database("bench")
        (folder / "migrator.toml").write_text(CONFIG.format(store=""), encoding="utf-8")
        with psycopg.connect(os.environ["BENCH_DSN"], autocommit=True) as connection:
            _run(connection, MAKE_SESSIONS)
            _run(connection, ADD_SESSIONS, first=1, last=min(by_census, rows))
            _killed_census(folder, connection, min(by_census, rows))
            if rows > by_census:
                _run(connection, ADD_SESSIONS, first=by_census + 1, last=rows)
                _run(connection, ADD_TO_CENSUS, first=by_census + 1)
            bare_s = _median(
                rounds, lambda: connection.execute("SELECT count(*) FROM sessions").fetchone()
            )
            census_s = _median(
                rounds,
                lambda: connection.execute("SELECT count(*) FROM migrator_session").fetchone(),
            )
        look_s = _median(rounds, lambda: _right(_look(folder), rows))
        print(
            f"look by the census, {rows:,} rows: {look_s:.2f} s; count(*) of the sessions"
            f" {bare_s:.2f} s, of the census {census_s:.2f} s; ratio {look_s / bare_s:.2f},"
            f" {look_s - bare_s:+.2f} s (target: under +2 s)",
            flush=True,
        )
    finally:
        server.stop()


def _run(connection: psycopg.Connection, script: str, **numbers: int) -> None:
    filled = script.format(
        holding=HOLDING_OF_TEN, user=KINDS["user"], visitor=KINDS["visitor"], **numbers
    )
    for statement in filled.split(";\n"):
        connection.execute(statement.encode())


def _killed_census(folder: Path, connection: psycopg.Connection, rows: int) -> None:
    """Take the census, kill it in its middle, and let the same command go on."""

    def is_half() -> bool:
        there = connection.execute("SELECT to_regclass('migrator_session') IS NOT NULL").fetchone()
        if there != (True,):
            return False
        reached = connection.execute("SELECT max(session_id) FROM migrator_session").fetchone()
        return reached is not None and (reached[0] or 0) >= rows // 2

    first = _census(folder, until=is_half)
    at_kill = connection.execute("SELECT count(*) FROM migrator_session").fetchone()
    second = _census(folder)
    counted = connection.execute("SELECT count(*) FROM migrator_session").fetchone()
    assert counted == (rows,), counted
    assert at_kill is not None
    assert second.read <= rows - at_kill[0] + PAGE_ROWS, (second, at_kill)
    took_s, spent_s = first.took_s + second.took_s, first.cpu_s + second.cpu_s
    print(
        f"census of {rows:,} sessions, killed at {at_kill[0]:,} and taken up again: {took_s:.1f} s,"
        f" {rows / took_s:,.0f} rows/s, CPU {spent_s:.1f} s of its own,"
        f" {max(first.peak_mb, second.peak_mb):.0f} MB at most; the second run read {second.read:,}",
        flush=True,
    )


class Taken(NamedTuple):
    """What one run of the command cost."""

    read: int
    took_s: float
    cpu_s: float
    peak_mb: float


def _census(folder: Path, *, until: Callable[[], bool] = lambda: False) -> Taken:
    """Run the command, and kill it as soon as `until` says so."""
    command = [sys.executable, "-m", "migrator", "drain", "census", "--json"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE)
    began = time.perf_counter()
    with Watch(process.pid) as watch:
        while process.poll() is None:
            spent_s = cpu_s(process.pid)
            if until():
                process.kill()
            time.sleep(0.05)
    took_s = time.perf_counter() - began
    said = process.communicate()[0]
    read = json.loads(said)["read"] if process.returncode == 0 else 0
    return Taken(read, took_s, spent_s, max(watch.resident_mb.values()))


def _redis(folder: Path, keys: int, rounds: int) -> None:
    server = start_redis()
    try:
        os.environ["BENCH_REDIS"] = server.url
        (folder / "migrator.toml").write_text(CONFIG.format(store=REDIS), encoding="utf-8")
        _fill(server, keys)
        bare_s = _median(rounds, lambda: _bare_scan(server, keys))
        command = [sys.executable, "-m", "tests.benchmarks.bench_drain", "--look", str(folder)]
        said = [json.loads(subprocess.check_output(command)) for _ in range(rounds)]
        assert all(each["holding"] == keys * HOLDING_OF_TEN // 10 for each in said), said
        look_s, spent_s = (
            statistics.median(e[name] for e in said) for name in ("seconds", "cpu_s")
        )
        print(
            f"count of {keys:,} keys in Redis: {look_s:.2f} s (CPU {spent_s:.1f} s of its own);"
            f" redis-cli --scan {bare_s:.2f} s; ratio {look_s / bare_s:.2f};"
            f" {max(each['grown_mb'] for each in said):.0f} MB more than before it",
            flush=True,
        )
        taken = _census(folder)
        print(
            f"census of {keys:,} keys: {taken.took_s:.1f} s, CPU {taken.cpu_s:.1f} s of its own,"
            f" {taken.peak_mb:.0f} MB at most",
            flush=True,
        )
        kept_s = _median(rounds, lambda: _right(_look(folder), keys))
        print(f"look by the census: {kept_s:.3f} s (target: under 2 s)", flush=True)
    finally:
        server.stop()


def _fill(server: RedisServer, keys: int) -> None:
    user, visitor = (b64decode(KINDS[name]) for name in ("user", "visitor"))
    with server.connect() as client:
        for begin in range(0, keys, 10_000):
            pipeline = client.pipeline(transaction=False)
            for number in range(begin, min(begin + 10_000, keys)):
                value = user if number % 10 < HOLDING_OF_TEN else visitor
                pipeline.set(f"session:2::{number:064x}", value, ex=86_400 + number % 1_123_200)
            pipeline.execute()


def _bare_scan(server: RedisServer, keys: int) -> None:
    command = ["redis-cli", "-p", str(server.port), "--scan", "--pattern", "session:*"]
    found = subprocess.check_output(command, env={**os.environ, "REDISCLI_AUTH": server.password})
    assert found.count(b"\n") >= keys


def _look(folder: Path) -> SessionsLook:
    config = load(folder / "migrator.toml")
    ctx = make_context(config, root=folder, clock=SystemClock(), progress=Progress())
    return session_store(ctx).look()


def _right(look: SessionsLook, rows: int) -> None:
    assert (look.holding, look.doubts) == (rows * HOLDING_OF_TEN // 10, ()), look


def _look_and_say(folder: Path) -> None:
    before_mb, began, cpu = _peak_mb(), time.perf_counter(), time.process_time()
    look = _look(folder)
    said = {
        "holding": look.holding,
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - cpu,
        "grown_mb": _peak_mb() - before_mb,
    }
    print(json.dumps(said))


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _median(rounds: int, measured: Callable[[], object]) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        measured()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
