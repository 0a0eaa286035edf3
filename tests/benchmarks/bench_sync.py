"""The sync of 1 % changed users beside the import: `python -m tests.benchmarks.bench_sync [--users N]`.

Both are measured in this process, one right after the other; the first pass after the import already
finds nothing but what changed. Each change is older than the margin for the clocks when its pass begins, so that
the next one does not read it again. Processor times are those of this process and of what it started.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
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
    from collections.abc import Iterator

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
        with _timed() as whole:
            p1_import.run(ctx)
        print(
            f"import of {users:,}: {whole.wall_s:.2f} s (CPU {whole.cpu_s:.2f} s),"
            f" {users / whole.wall_s:,.0f} users/s",
            flush=True,
        )
        taken = []
        for number in range(rounds):
            connection.execute(CHANGE, {"at": number})
            time.sleep(MARGIN_S * 2)
            taken.append(_pass(f"sync {number + 1}", ctx, Wish(), whole))
        time.sleep(MARGIN_S * 2)
        _pass("empty", ctx, Wish(), whole)
        _pass("sweep", ctx, Wish(full=True), whole)
    wall = statistics.median(each.wall_s for each in taken) / whole.wall_s
    cpu = statistics.median(each.cpu_s for each in taken) / whole.cpu_s
    print(
        f"sync of 1 % / import: median {wall:.3f} by the clock (target: under 0.1), {cpu:.3f} by"
        " processor time"
    )


@dataclass
class Taken:
    """What something took, once it is over."""

    wall_s: float = 0
    cpu_s: float = 0


@contextmanager
def _timed() -> Iterator[Taken]:
    taken, began, cpu = Taken(), time.perf_counter(), _cpu_s()
    yield taken
    taken.wall_s, taken.cpu_s = time.perf_counter() - began, _cpu_s() - cpu


def _cpu_s() -> float:
    found = os.times()
    return found.user + found.system + found.children_user + found.children_system


def _pass(what: str, ctx: Context, wish: Wish, whole: Taken) -> Taken:
    """Make a pass, with opening and closing both sides."""
    with _timed() as taken:
        report = commands.sync(ctx, wish)
    print(
        f"{what}: {taken.wall_s:6.2f} s (CPU {taken.cpu_s:.2f} s),"
        f" {taken.wall_s / whole.wall_s:.3f} of the import, {report.looked:,} looked at,"
        f" {report.wrote['changed']:,} changed, {report.wrote['passwords']:,} passwords",
        flush=True,
    )
    return taken


def _context(folder: Path, dsn: str) -> Context:
    os.environ |= {"BENCH_DSN": dsn, "BENCH_KEY": "b" * 40}
    (folder / "migrator.toml").write_text(CONFIG.format(page_rows=PAGE_ROWS) + SYNC)
    return make_context(
        load(folder / "migrator.toml"), root=folder, clock=SystemClock(), progress=Progress()
    )


if __name__ == "__main__":
    main()
