"""The comparison of both sides beside the import: `python -m tests.benchmarks.bench_reconcile --users 200000`.

Both in turn, each in a process of its own that measures itself, so that a busy machine slows both. The ratio that
counts is the comparison's time divided by the import's: below 1 it is faster.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from phases import p1_import
from tests.benchmarks.bench_import import CONFIG, MAKE_USERS, PAGE_ROWS, Figure, measured
from tests.benchmarks.processes import Watch, cpu_s
from tests.parts.postgres import PostgresServer, embedded_binaries, start_postgres

if TYPE_CHECKING:
    from migrator.runner.context import Context

TIMEOUT_S = 3600
PARTS = ("import", "verify")


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
            _compare(server, Path(folder), arguments)
    finally:
        server.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", choices=["1", "2"], default="2")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_known_args()[0]


def _compare(server: PostgresServer, folder: Path, arguments: argparse.Namespace) -> None:
    walls, cpus = [], []
    for number in range(1, arguments.rounds + 1):
        place = _site(server, folder, arguments.processes)
        found = {part: _run(server, part, place) for part in PARTS}
        for part, figure in found.items():
            print(f"round {number} {part:6} {_said(figure, arguments.users)}", flush=True)
        walls.append(found["verify"].wall_s / found["import"].wall_s)
        cpus.append(_cpu_s(found["verify"]) / _cpu_s(found["import"]))
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    print(
        f"comparison / import: by the clock median {wall:.2f}, by processor time of all processes"
        f" {cpu:.2f}; below 1 in both: {'holds' if max(wall, cpu) < 1 else 'misses'}"
    )


def _site(server: PostgresServer, folder: Path, processes: str) -> Path:
    place = Path(tempfile.mkdtemp(dir=folder))
    settings = CONFIG.format(page_rows=PAGE_ROWS)
    settings = settings.replace("[import]", f"[import]\nprocesses = {processes}")
    (place / "migrator.toml").write_text(settings)
    with psycopg.connect(server.dsn("bench"), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS migrator_identity, migrator_instance")
    return place


def _run(server: PostgresServer, part: str, folder: Path) -> Figure:
    with psycopg.connect(server.dsn("bench"), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    environment = os.environ | {"BENCH_DSN": server.dsn("bench"), "BENCH_KEY": "b" * 40}
    command = [sys.executable, "-m", "tests.benchmarks.bench_reconcile", "--part", part]
    before = cpu_s(server.process.pid)
    with (
        subprocess.Popen(
            [*command, "--folder", str(folder)], env=environment, stdout=subprocess.PIPE
        ) as ran,
        Watch(ran.pid) as watch,
    ):
        said, _ = ran.communicate(timeout=TIMEOUT_S)
    return replace(
        Figure(**json.loads(said.splitlines()[-1])),
        postgres_s=cpu_s(server.process.pid) - before,
        sum_mb=watch.sum_mb,
    )


def _measure(part: str, folder: Path) -> Figure:
    ctx = make_context(
        load(folder / "migrator.toml"), root=folder, clock=SystemClock(), progress=Progress()
    )
    return measured(lambda: p1_import.run(ctx) if part == "import" else _verify(ctx))


def _verify(ctx: Context) -> None:
    result = p1_import.verify(ctx)
    if not result.holds():
        raise SystemExit(f"the two sides differ: {dict(result.by_kind)}")


def _cpu_s(figure: Figure) -> float:
    return figure.writer_s + figure.reader_s + figure.postgres_s


def _said(figure: Figure, users: int) -> str:
    return (
        f"{users / figure.wall_s:8,.0f} users/s  wall {figure.wall_s:6.2f} s  CPU per user "
        f"{_cpu_s(figure) / users * 1e6:5.1f} us (main {figure.writer_s / users * 1e6:.1f}, reader "
        f"{figure.reader_s / users * 1e6:.1f}, PostgreSQL {figure.postgres_s / users * 1e6:.1f})  "
        f"memory at most {figure.sum_mb:.0f} MB"
    )


if __name__ == "__main__":
    main()
