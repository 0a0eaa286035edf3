"""Phase 4 on a busy MariaDB: whoever uses the tables waits as long as one try for a lock, not as long as the longest reader."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pymysql
import pytest

from migrator.core.errors import HeldError
from migrator.core.mariadb import places_of
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal_elsewhere import Shop, make_shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.mariadb import MariaDbServer

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("mariadb-removal")]
READER_S = 8.0


class Readers:
    """Short queries on a table, all the time; `longest_s` is what one of them took."""

    def __init__(self, shop: Shop) -> None:
        self.longest_s = 0.0
        self._shop = shop
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Readers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _read(self) -> None:
        with (
            self._shop.server.connect(self._shop.database) as connection,
            connection.cursor() as cursor,
        ):
            while not self._end.wait(0.01):
                began = time.monotonic()
                # At the end it is in quarantine.
                with suppress(pymysql.err.ProgrammingError):
                    cursor.execute("SELECT COUNT(*) FROM identities")
                self.longest_s = max(self.longest_s, time.monotonic() - began)


@contextmanager
def long_reader(shop: Shop) -> Iterator[None]:
    """A transaction that has read the table and stays open."""
    with shop.server.connect(shop.database) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT COUNT(*) FROM identities")
        end = threading.Timer(READER_S, connection.rollback)
        end.start()
        yield
        end.join()


def test_others_wait_for_one_try_and_not_for_the_longest_reader(
    tmp_path: Path,
    mariadb: MariaDbServer,
    mariadb_devise_db: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = make_shop(tmp_path / "site", mariadb, mariadb_devise_db, monkeypatch)
    p4_remove.plan(shop.site.ctx)
    p4_remove.run(shop.site.ctx, steps.GUARD)
    with long_reader(shop), Readers(shop) as ours, pytest.raises(HeldError):
        p4_remove.run(shop.site.ctx, steps.QUARANTINE_TABLES)
    p4_remove.run(shop.site.ctx, steps.QUARANTINE_TABLES)
    p4_remove.rollback(shop.site.ctx)
    with long_reader(shop), Readers(shop) as naive:
        shop.sql("RENAME TABLE identities TO gone")
    print(f"longest wait: {ours.longest_s:.2f} s, of a plain RENAME TABLE {naive.longest_s:.2f} s")
    assert ours.longest_s < naive.longest_s / 2
    for place in places_of(shop.database).all:
        mariadb.run(f"DROP DATABASE IF EXISTS `{place}`")
