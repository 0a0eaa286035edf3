"""Load by the real pgbench, beside readers that stay, and how long each of their queries waited."""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import psycopg

from tests.parts.postgres import embedded_binaries, end_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# pgbench ends when its connections do; this is only for a run that forgot it.
_AT_MOST_S = 3600
_NAME = "pgbench load"
_PLACES = """SELECT string_agg(format('%%I.%%I', n.nspname, c.relname), ', ' ORDER BY c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = ANY(%s) AND c.relkind = 'r' AND n.nspname IN ('public', 'migrator_quarantine')"""


@dataclass(frozen=True)
class Query:
    """One query of somebody else.

    Attributes:
        ended_s: Seconds since 1970.
        took_s: Seconds from sending it to its answer.
    """

    ended_s: float
    took_s: float


@dataclass
class Load:
    """pgbench with scripts of one query each, and readers that lock tables as a pg_dump does.

    Attributes:
        dsn: The database.
        folder: For pgbench's files.
        scripts: Each one query, after `\\set` lines.
        tables: What the readers hold ACCESS SHARE on, also after it moved to quarantine.
        clients: Connections of pgbench.
        per_second: Queries of all clients together.
        stay_s: How long a reader's transaction stays open.
        refused: Queries that met an error; known after the block.
        said: What pgbench printed.
    """

    dsn: str
    folder: Path
    scripts: Sequence[str]
    tables: Sequence[str]
    clients: int = 4
    per_second: int = 200
    stay_s: float = 2.0
    refused: int = 0
    said: str = ""
    _queries: list[Query] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._ended, self._reading = threading.Event(), threading.Event()
        self._process = self._start()
        self._reader = threading.Thread(target=self._read_on)
        self._reader.start()
        while self._connected() < self.clients:
            if self._process.poll() is not None:
                raise RuntimeError(f"pgbench did not start: {self._process.communicate()[0]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._reader.join()
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                [_NAME],
            )
            self.refused = self.clients - ended.rowcount
        self.said = self._process.communicate()[0]
        for log in self.folder.glob("waits.*"):
            for line in log.read_text().splitlines():
                if " failed " in line:  # a deadlock; after any other error the client ends
                    self.refused += 1
                else:
                    self._queries.append(_query(line))

    def until_a_reader_holds(self) -> None:
        """Wait until a reader's transaction begins: the worst moment for a lock."""
        self._reading.clear()
        self._reading.wait()

    def longest_s(self, began_s: float, ended_s: float) -> float:
        """Give the longest that a query took which was sent between two times; call it after the block."""
        met = [
            query.took_s
            for query in self._queries
            if began_s <= query.ended_s - query.took_s <= ended_s
        ]
        return max(met, default=0.0)

    @property
    def count(self) -> int:
        """Give how many queries there were."""
        return len(self._queries)

    def _start(self) -> subprocess.Popen[str]:
        command: list[str | Path] = [embedded_binaries() / "pgbench", "--no-vacuum", "--log"]
        command += ["--log-prefix", self.folder / "waits", "--protocol", "prepared"]
        command += ["--client", str(self.clients), "--rate", str(self.per_second)]
        command += ["--time", str(_AT_MOST_S), "--random-seed", "1"]
        for number, script in enumerate(self.scripts):
            file = self.folder / f"script{number}.sql"
            file.write_text(script)
            command += ["--file", file]
        return subprocess.Popen(
            [*command, self.dsn],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PGAPPNAME": _NAME},
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )

    def _connected(self) -> int:
        with psycopg.connect(self.dsn) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [_NAME]
            ).fetchone()
        return found[0] if found else 0

    def _read_on(self) -> None:
        pauses = random.Random(1)
        with psycopg.connect(self.dsn, application_name="nightly dump") as connection:
            while not self._ended.wait(pauses.uniform(0.2, 0.5) * self.stay_s):
                # A table that goes in this moment is not there to be read.
                with suppress(psycopg.errors.UndefinedTable):
                    self._hold(connection)
                connection.rollback()

    def _hold(self, connection: psycopg.Connection) -> None:
        found = connection.execute(_PLACES, [list(self.tables)]).fetchone()
        began_s = time.time()
        if found and found[0]:
            connection.execute(f"LOCK TABLE {found[0]} IN ACCESS SHARE MODE".encode())
        now_s = time.time()
        self._queries.append(Query(now_s, now_s - began_s))
        self._reading.set()
        self._ended.wait(self.stay_s)


def _query(line: str) -> Query:
    # client, number, microseconds since it was due, script, end in seconds and microseconds, microseconds it was late
    fields = [int(number) for number in line.split()[:7]]
    return Query(fields[4] + fields[5] / 1e6, (fields[2] - fields[6]) / 1e6)
