"""The sync of 1 % changed users beside the import: `python -m tests.benchmarks.bench_sync [--users N]`.

Each round imports into a database of its own and makes a pass right after it, so that a busy machine slows both; what
is compared are times by the clock and processor times, with opening and closing both sides. Each change is older than
the margin for the clocks when its pass begins, so that the next one does not read it again. Processor times are those
of this process and of what it started: PostgreSQL's are in none.
"""

from __future__ import annotations

import argparse
import os
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
from tests.benchmarks.pairs import MIN_VALUES, Middle
from tests.parts.postgres import embedded_binaries, start_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.runner.context import Context

MARGIN_S = 1
# Of the import's time.
BOUND = 0.1
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
    parser.add_argument("--rounds", type=int, default=MIN_VALUES)
    arguments = parser.parse_known_args()[0]
    server = start_postgres(embedded_binaries())
    try:
        with (
            tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder,
            psycopg.connect(server.create_database("bench"), autocommit=True) as connection,
        ):
            _make_users(connection, arguments.users)
            dsn = server.dsn("bench")
            rounds = [
                _round(Path(folder) / str(number), dsn, connection, number)
                for number in range(1, arguments.rounds + 1)
            ]
            _look_on(Path(folder) / str(arguments.rounds), dsn)
    finally:
        server.stop()
    for what, ratios in (
        ("by the clock", [whole.wall_s / one.wall_s for whole, one in rounds]),
        ("by processor time", [whole.cpu_s / one.cpu_s for whole, one in rounds]),
    ):
        print(f"a pass over 1 % changed / the import, {what}: {_said(ratios)}")


def _said(ratios: list[float]) -> str:
    """Say what part of the import's time a pass takes; the other way round, more is better."""
    if len(ratios) < MIN_VALUES:
        return f"{len(ratios)} of {MIN_VALUES} rounds: nothing can be said"
    middle = Middle.of(ratios)
    return (
        f"median {1 / middle.median:.3f} (95 %: {1 / middle.high:.3f} to {1 / middle.low:.3f}), at most"
        f" {BOUND}: {middle.verdict(at_least=1 / BOUND)}"
    )


def _make_users(connection: psycopg.Connection, users: int) -> None:
    for statement in MAKE_USERS.format(users=users).split(";\n"):
        connection.execute(statement.encode())
    # Everybody was changed just now, which would be the whole of the first pass.
    connection.execute("UPDATE users SET updated_at = updated_at - interval '1 day'")
    connection.execute("VACUUM ANALYZE users")


def _round(
    folder: Path, dsn: str, connection: psycopg.Connection, number: int
) -> tuple[Taken, Taken]:
    connection.execute("DROP TABLE IF EXISTS migrator_identity, migrator_instance")
    connection.execute("CHECKPOINT")
    folder.mkdir()
    ctx = _context(folder, dsn)
    with _timed() as whole:
        p1_import.run(ctx)
    print(f"round {number} import: {whole}", flush=True)
    connection.execute(CHANGE, {"at": number})
    time.sleep(MARGIN_S * 2)
    return whole, _pass(f"round {number} sync", ctx, Wish())


def _look_on(folder: Path, dsn: str) -> None:
    """Make passes that find nothing to do."""
    time.sleep(MARGIN_S * 2)
    ctx = _context(folder, dsn)
    _pass("empty", ctx, Wish())
    _pass("sweep", ctx, Wish(full=True))


@dataclass
class Taken:
    """What something took, once it is over."""

    wall_s: float = 0
    cpu_s: float = 0

    def __str__(self) -> str:
        return f"{self.wall_s:.2f} s (CPU {self.cpu_s:.2f} s)"


@contextmanager
def _timed() -> Iterator[Taken]:
    taken, began, cpu = Taken(), time.perf_counter(), _cpu_s()
    yield taken
    taken.wall_s, taken.cpu_s = time.perf_counter() - began, _cpu_s() - cpu


def _cpu_s() -> float:
    found = os.times()
    return found.user + found.system + found.children_user + found.children_system


def _pass(what: str, ctx: Context, wish: Wish) -> Taken:
    with _timed() as taken:
        report = commands.sync(ctx, wish)
    print(
        f"{what}: {taken}, {report.looked:,} looked at, {report.wrote['changed']:,} changed,"
        f" {report.wrote['passwords']:,} passwords",
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
