"""The sync of 1 % changed users beside the import: `python -m tests.benchmarks.bench_sync [--users N]`.

Both are measured in this process, one right after the other; the first pass after the import already
finds nothing but what changed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from migrator.runner.syncing import commands
from migrator.runner.syncing.passes import Wish
from phases import p1_import
from tests.benchmarks.bench_import import CONFIG, MAKE_USERS, PAGE_ROWS
from tests.parts.postgres import embedded_binaries, start_postgres

if TYPE_CHECKING:
    from migrator.runner.context import Context

MARGIN_S = 1
SYNC = f"""
[sync]
clock_margin = "{MARGIN_S}s"
"""
# One in a hundred: names, a few new passwords, sign-ins that only move updated_at.
CHANGE = (
    "UPDATE users SET name = name || '.', sign_in_count = sign_in_count + 1,"
    " encrypted_password = CASE WHEN id %% 1000 = %(at)s"
    " THEN overlay(encrypted_password PLACING 'new' FROM 40) ELSE encrypted_password END,"
    " updated_at = clock_timestamp() AT TIME ZONE 'UTC' WHERE id %% 100 = %(at)s"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    server = start_postgres(embedded_binaries())
    try:
        with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
            dsn = server.create_database("bench")
            _compare(Path(folder), dsn, users=arguments.users, rounds=arguments.rounds)
    finally:
        server.stop()


def _compare(folder: Path, dsn: str, *, users: int, rounds: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in MAKE_USERS.format(users=users).split(";\n"):
            connection.execute(statement.encode())
        # Everybody was changed just now, which would be the whole of the first pass.
        connection.execute("UPDATE users SET updated_at = updated_at - interval '1 day'")
        connection.execute("VACUUM ANALYZE users")
        ctx = _context(folder, dsn)
        began = time.perf_counter()
        p1_import.run(ctx)
        import_s = time.perf_counter() - began
        print(
            f"import of {users:,}: {import_s:.2f} s, {users / import_s:,.0f} users/s", flush=True
        )
        seconds = []
        for number in range(rounds):
            connection.execute(CHANGE, {"at": number})
            seconds.append(_timed(f"sync {number + 1}", ctx, Wish(), import_s))
            # What is younger than the margin for the clocks is read again.
            time.sleep(MARGIN_S * 2)
        _timed("empty", ctx, Wish(), import_s)
        _timed("sweep", ctx, Wish(full=True), import_s)
    median = statistics.median(seconds)
    print(f"sync of 1 % / import: median {median / import_s:.3f} (target: under 0.1)")


def _timed(what: str, ctx: Context, wish: Wish, import_s: float) -> float:
    """Make a pass and give its seconds, with opening and closing both sides."""
    wall, cpu = time.perf_counter(), time.process_time()
    report = commands.sync(ctx, wish)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{what}: {wall:6.2f} s (CPU {cpu:.2f} s), {wall / import_s:.3f} of the import,"
        f" {report.looked:,} looked at, {report.wrote['changed']:,} changed,"
        f" {report.wrote['passwords']:,} passwords",
        flush=True,
    )
    return wall


def _context(folder: Path, dsn: str) -> Context:
    os.environ |= {"BENCH_DSN": dsn, "BENCH_KEY": "b" * 40}
    (folder / "migrator.toml").write_text(CONFIG.format(page_rows=PAGE_ROWS) + SYNC)
    return make_context(
        load(folder / "migrator.toml"), root=folder, clock=SystemClock(), progress=Progress()
    )


if __name__ == "__main__":
    main()
