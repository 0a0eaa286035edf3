"""Phase 4 on MariaDB, killed: the process, or the server in the middle of a statement. The same command goes on, nothing is lost."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from psycopg import errors

from migrator.core.errors import DependencyError
from migrator.core.mariadb import places_of
from migrator.legacy.mariadb.connection import MariaDbConnection
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.kill_driver import entered
from tests.phases.removal_elsewhere import Cut, Shop, make_shop, until_done
from tests.runner.approvals import Team

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.mariadb import MariaDbServer

pytestmark = pytest.mark.xdist_group("mariadb-removal")
# As long as most statements take, and longer.
LATEST_S = 0.03
SOME_PARTS = ("'move'", "'compare'", "'drop'", "'finalize'", "'fill_2'", "'back'", "'settle'")
DROPPING = r"while the transaction .*(09_purge_tables', 'drop'|'fill_1')|os.rename manifest"


@pytest.fixture
def durable(mariadb: MariaDbServer) -> Iterator[MariaDbServer]:
    """A server that keeps what it committed, which the other tests do without."""
    with mariadb.durable():
        yield mariadb


@pytest.fixture
def shop(
    tmp_path: Path, durable: MariaDbServer, mariadb_devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    made = make_shop(tmp_path / "site", durable, mariadb_devise_db, monkeypatch)
    (made.site.root / "keys.json").write_text(json.dumps(Team(made.site.root).keys))
    p4_remove.plan(made.site.ctx)
    yield made
    for place in places_of(made.database).all:
        durable.run(f"DROP DATABASE IF EXISTS `{place}`")


class Crashes:
    """Kills the server while it runs a statement, each one once, at a drawn moment; another one takes its data up."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        server: MariaDbServer,
        parts: tuple[str, ...] = ("",),
    ) -> None:
        self.number = 0
        self._server, self._parts = server, parts
        self._seen: set[str] = set()
        self._draw = random.Random(random.random())
        send, crashes = MariaDbConnection.send, self

        def sent(connection: MariaDbConnection, statement: str) -> None:
            if not crashes._is_next(statement):
                send(connection, statement)
                return
            with crashes._one():
                send(connection, statement)

        monkeypatch.setattr(MariaDbConnection, "send", sent)

    def _is_next(self, statement: str) -> bool:
        # One of many routines: there is no plan before the last statement.
        if statement.startswith("CREATE OR REPLACE") or statement in self._seen:
            return False
        self._seen.add(statement)
        return any(part in entered(statement) for part in self._parts)

    @contextmanager
    def _one(self) -> Iterator[None]:
        self.number += 1
        killing = threading.Timer(self._draw.uniform(0, LATEST_S), self._server.process.kill)
        killing.start()
        try:
            yield
        finally:
            killing.join()
            self._server.crash()


def forward_and_back(shop: Shop) -> None:
    """Go through a whole removal and take it back; everything is as it was."""
    before = shop.state()
    until_done(lambda: p4_remove.run(shop.site.ctx))
    until_done(lambda: p4_remove.verify(shop.site.ctx))
    assert set(p4_remove.status(shop.site.ctx).steps.values()) == {"applied"}
    assert shop.left() == []
    until_done(lambda: p4_remove.rollback(shop.site.ctx))
    assert shop.state() == before
    assert shop.left() == []


def killed_process(shop: Shop, which: str) -> list[str]:
    """Go forward and back in processes that are killed at each place of a kind once; gives the places."""
    before, places = shop.state(), []
    for direction in ("apply", "revert"):
        ran = subprocess.run(
            [sys.executable, "-m", "tests.phases.kill_anywhere", shop.site.root, which, "remove", direction],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr[-3000:]
        places += ran.stdout.splitlines()
    assert shop.state() == before
    assert shop.left() == []
    return places


def test_the_server_killed_in_the_middle_of_some_parts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes = Crashes(monkeypatch, shop.server, SOME_PARTS)
    forward_and_back(shop)
    assert crashes.number >= len(SOME_PARTS)


@pytest.mark.parametrize("back", [False, True])
def test_a_crash_in_the_middle_of_dropping_a_database_leaves_nothing_behind(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, back: bool
) -> None:
    last = f'DROP DATABASE "{shop.places.guard}"'
    send = MariaDbConnection.send

    def crash(connection: MariaDbConnection, statement: str) -> None:
        halfway = statement.replace(last, f'DROP TABLE "{shop.places.guard}".step')
        send(connection, halfway)
        if halfway != statement:
            raise errors.OperationalError("crash")

    move = p4_remove.rollback if back else p4_remove.run
    if back:
        p4_remove.run(shop.site.ctx, steps.WRITE_BLOCK_TABLES)
    with monkeypatch.context() as broken:
        broken.setattr(MariaDbConnection, "send", crash)
        with pytest.raises(DependencyError):
            move(shop.site.ctx)
    assert shop.left() == [shop.places.guard]
    assert move(shop.site.ctx).steps == ()
    assert shop.left() == []


def test_the_process_killed_while_the_server_works_and_between_two_files(shop: Shop) -> None:
    places = killed_process(shop, DROPPING)
    assert {place.split()[0] for place in places} == {"before", "while"}
    assert len(places) == 3


@pytest.mark.long
def test_the_server_killed_in_the_middle_of_each_statement(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes = Crashes(monkeypatch, shop.server)
    forward_and_back(shop)
    assert crashes.number >= 40


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_server_killed_before_and_after_each_record(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Cut(monkeypatch, shop.server.crash)
    forward_and_back(shop)
    assert cut.cuts >= 60


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_process_killed_before_while_and_after_each_statement_and_change_of_a_file(
    shop: Shop,
) -> None:
    places = killed_process(shop, "all")
    assert {"before", "while", "after"} <= {place.split()[0] for place in places}
    assert len(places) >= 150
