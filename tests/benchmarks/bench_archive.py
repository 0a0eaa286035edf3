"""The archive of a table beside a bare COPY TO: `python -m tests.benchmarks.bench_archive [--users N]`.

COPY reads the same rows in the same order and throws them away; the archive compresses, encrypts and writes them,
synced to the disk. The checksum that the database computes and the drill are measured each by itself. Memory is that of
this process.
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

from migrator.archive.encryption import Age, Identity, make_identity
from migrator.archive.manifest import ArchivedColumn, ArchivedTable, Rebuild
from migrator.archive.reader import read_rows
from migrator.archive.writer import ChunkSize, chunk_name, write_chunks
from migrator.legacy.archived import SCRATCH, Copying
from tests.benchmarks.bench_import import MAKE_USERS
from tests.benchmarks.processes import Watch
from tests.parts.postgres import embedded_binaries, start_postgres

if TYPE_CHECKING:
    from collections.abc import Callable

USERS = ("public", "users")
SIZE = ChunkSize(100_000, 8_000_000)
COLUMNS = (
    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
    " WHERE attrelid = 'users'::regclass AND attnum > 0 ORDER BY attnum"
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
            with psycopg.connect(dsn, autocommit=True) as connection:
                for statement in MAKE_USERS.format(users=arguments.users).split(";\n"):
                    connection.execute(statement.encode())
                _compare(_Bench(connection, Path(folder)), arguments.users, arguments.rounds)
    finally:
        server.stop()


class _Bench:
    """One table, taken out and brought back."""

    def __init__(self, connection: psycopg.Connection, folder: Path) -> None:
        self._connection, self._folder = connection, folder
        private, public = make_identity()
        self._sealing, self._identity = Age([public]), Identity(private)
        self._columns = tuple(ArchivedColumn(*row) for row in connection.execute(COLUMNS))
        self._names = tuple(column.name for column in self._columns)
        self._table = ArchivedTable(
            *USERS, 0, 0, "", self._columns, ("id",), (), (), Rebuild("", "", "")
        )

    def bare(self) -> None:
        """Read all rows and keep none."""
        with self._connection.transaction():
            for _ in Copying(self._connection).rows(USERS, self._names, ("id",)):
                pass

    def archive(self) -> None:
        """Write all rows into chunks."""
        with self._connection.transaction():
            rows = Copying(self._connection).rows(USERS, self._names, ("id",))
            written = write_chunks(
                self._folder,
                rows,
                self._sealing,
                name=lambda number: chunk_name(1, number, self._sealing),
                size=SIZE,
            )
            chunks = tuple(chunk.chunk for chunk in written)
        self._table = ArchivedTable(**{**vars(self._table), "chunks": chunks})

    def digest(self) -> None:
        """Let the database compute the checksum."""
        with self._connection.transaction():
            Copying(self._connection).digest(USERS, self._names)

    def drill(self) -> None:
        """Restore all rows into a scratch schema, with their checksum, and drop it."""
        with self._connection.transaction(force_rollback=True):
            copying = Copying(self._connection)
            copying.make_scratch()
            place = (SCRATCH, "users")
            copying.make(place, [(c.name, c.type, c.collation) for c in self._columns])
            copying.fill(place, self._names, read_rows(self._folder, self._table, self._identity))
            copying.digest(place, self._names)

    def size_mb(self) -> float:
        """Tell how much the files hold."""
        return sum(chunk.bytes for chunk in self._table.chunks) / 1e6


def _compare(bench: _Bench, users: int, rounds: int) -> None:
    taken: dict[str, list[float]] = {"bare": [], "archive": [], "digest": [], "drill": []}
    resident_mb: dict[str, float] = {}
    for _ in range(rounds):
        for name, all_seconds in taken.items():
            seconds, resident = _timed(getattr(bench, name))
            all_seconds.append(seconds)
            resident_mb[name] = max(resident_mb.get(name, 0), resident)
    for name, all_seconds in taken.items():
        median = statistics.median(all_seconds)
        print(
            f"{name}: {median:.2f} s, {users / median:,.0f} rows/s, at most {resident_mb[name]:.0f} MB"
        )
    ratio = statistics.median(a / b for a, b in zip(taken["archive"], taken["bare"], strict=True))
    print(f"archive / bare COPY: {ratio:.2f}; {bench.size_mb():.1f} MB in files")


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    with Watch(os.getpid()) as watch:
        began = time.perf_counter()
        work()
        seconds = time.perf_counter() - began
    return seconds, watch.resident_mb.get(os.getpid(), 0)


if __name__ == "__main__":
    main()
