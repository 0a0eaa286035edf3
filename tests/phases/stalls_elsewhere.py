"""How long others wait on a MariaDB while a removal goes through its steps, beside a bare DROP of the same tables."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import pymysql

from migrator.runner.removing.plans import kept_plan
from phases import p4_remove
from tests.phases.stalls import Measured, Stall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.parts.mariadb import MariaDbServer
    from tests.phases.removal import Site

CLIENTS = 4
IDLE_S = 5.0
_PROCESSES = multiprocessing.get_context("fork")
# What an application without the tables sends; a row of users may have rows in them, by a key that cascades.
QUERIES = (
    "SELECT id, email, name, updated_at FROM users WHERE id = %s",
    "UPDATE users SET updated_at = NOW() WHERE id = %s",
)
# As a mysqldump does.
HELD = "SELECT (SELECT COUNT(*) FROM users), (SELECT MAX(id) FROM identities)"
_MORE = (
    """INSERT INTO users (id, email, encrypted_password, created_at, updated_at)
    SELECT 100000 + seq, CONCAT('more', seq, '@example.org'), CONCAT('$2a$12$', MD5(seq), LEFT(MD5(seq), 21)), NOW(), NOW()
    FROM seq_1_to_{more}""",
    """INSERT INTO identities (id, user_id, provider, uid, created_at, updated_at)
    SELECT id, id, 'github', MD5(id), NOW(), NOW() FROM users WHERE id > 100000""",
)


def fill(server: MariaDbServer, database: str, users: int) -> None:
    """Bring the Devise tables to a number of users."""
    if users > 600:
        server.run(*(each.format(more=users - 600) for each in _MORE), database=database)


class _Load:
    """Queries of some clients, all the time, with when each began and ended; beside them a reader who stays again and again.

    They run in a process of their own, which what is measured does not hold up.
    """

    def __init__(self, server: MariaDbServer, database: str, stay_s: float) -> None:
        self.spans: list[tuple[float, float]] = []
        self.refused = 0
        self._open = partial(server.connect, database)
        self._stay_s = stay_s
        self._end, self._stays = _PROCESSES.Event(), _PROCESSES.Event()
        self._said: multiprocessing.Queue[tuple[list[tuple[float, float]], int]]
        self._said = _PROCESSES.Queue()

    @contextmanager
    def running(self) -> Iterator[None]:
        process = _PROCESSES.Process(target=self._work)
        process.start()
        try:
            yield
        finally:
            self._end.set()
            self.spans, self.refused = self._said.get()
            process.join()

    def _work(self) -> None:
        threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(CLIENTS)]
        threads.append(threading.Thread(target=self._stay))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._said.put((self.spans, self.refused))

    def wait_for_reader(self) -> None:
        """Wait until a reader has just begun to stay."""
        self._stays.clear()
        self._stays.wait()

    def _ask(self, number: int) -> None:
        query = QUERIES[number % len(QUERIES)]
        with self._open() as connection, connection.cursor() as cursor:
            while not self._end.wait(0.005):
                began = time.monotonic()
                try:
                    cursor.execute(query, (random.randint(1, 600),))
                except pymysql.err.Error:
                    self.refused += 1
                self.spans.append((began, time.monotonic()))

    def _stay(self) -> None:
        with self._open() as connection, connection.cursor() as cursor:
            while not self._end.is_set():
                cursor.execute("START TRANSACTION")
                cursor.execute("SELECT COUNT(*) FROM users")
                # In quarantine it is not there any more.
                with suppress(pymysql.err.ProgrammingError):
                    cursor.execute(HELD)
                self._stays.set()
                self._end.wait(self._stay_s)
                cursor.execute("COMMIT")
                self._end.wait(0.05)


def of_the_steps(site: Site, server: MariaDbServer, *, stay_s: float) -> Measured:
    """Plan and go through all steps and back under load, each begun as a reader has just begun to stay."""
    p4_remove.plan(site.ctx)
    names = kept_plan(site.ctx).steps
    parts: list[tuple[str, Callable[[], object]]] = [("nothing", partial(time.sleep, IDLE_S))]
    parts += [(step, partial(p4_remove.run, site.ctx, step)) for step in names]
    parts += [
        (f"back from {step}", partial(p4_remove.rollback, site.ctx, before))
        for before, step in reversed(list(zip((None, *names), names, strict=False)))
    ]
    return _measured(server, site.dsn.rpartition("/")[2], parts, stay_s=stay_s)


def of_a_bare_drop(server: MariaDbServer, database: str, table: str, *, stay_s: float) -> Measured:
    """Drop a table as one does without thinking of others."""
    drop = partial(server.run, f"DROP TABLE {table}", database=database)
    return _measured(server, database, [("DROP TABLE", drop)], stay_s=stay_s)


def _measured(
    server: MariaDbServer,
    database: str,
    parts: list[tuple[str, Callable[[], object]]],
    *,
    stay_s: float,
) -> Measured:
    load, times = _Load(server, database, stay_s), []
    with load.running():
        for what, move in parts:
            load.wait_for_reader()
            began = time.monotonic()
            move()
            times.append((what, began, time.monotonic()))
    stalls = tuple(
        Stall(what, until - since, _longest(load.spans, since, until), deadlock=False)
        for what, since, until in times
    )
    return Measured(stalls, len(load.spans), load.refused)


def _longest(spans: list[tuple[float, float]], since: float, until: float) -> float:
    return max(end - begin for begin, end in spans if begin < until and end > since)
