"""A real libSQL server that is away, slow, full of other writers, or asks for a token."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from migrator.auther.interface import Change
from migrator.auther.ways.calling import Patience
from migrator.auther.ways.database import Run
from migrator.auther.ways.libsql import open_libsql
from migrator.auther.ways.libsql_server import LibsqlServer
from migrator.core.errors import DependencyError, RefusedError, UsageError
from tests.auther.rows import row
from tests.parts.faulty_wire import Fault, FaultyHttp, Planned
from tests.parts.sqld import start

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Patience(total_s=20, first_s=0.01, most_s=0.5)
HURRIED = Patience(total_s=0.3, first_s=0.01, most_s=0.1)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.SLOW])
@pytest.mark.parametrize("request_number", [3, 4, 5])
def test_a_request_that_fails_is_repeated_and_nothing_happens_twice(
    sqld: str, fault: Fault, request_number: int
) -> None:
    with open_libsql(sqld, writing=True):
        pass
    planned = [Planned(request_number, fault, seconds=0.2)]
    with (
        FaultyHttp(sqld, planned) as proxy,
        open_libsql(proxy.base_url, writing=True, patience=QUICK) as target,
    ):
        target.write([row("ada"), row("bob")])
        before = target.read(["ada"])["ada"]
        change = Change(before, before.user._replace(name="Ada L"), before.accounts)
        assert target.change([change]) == []
        assert target.remove(["bob"]) == 1
        assert proxy.happened == [fault]
        assert target.read(["ada", "bob"])["ada"].user.name == "Ada L"
        assert target.count_users() == 1


def test_a_server_that_stays_away_is_named_and_its_token_is_not(sqld_folder: Path) -> None:
    server = start(sqld_folder)
    with open_libsql(server.base_url, token="hidden", writing=True, patience=HURRIED) as target:
        server.stop()
        with pytest.raises(DependencyError, match="libSQL server 127") as caught:
            target.write([row("ada")])
    assert "run the same command again" in caught.value.hint
    assert "hidden" not in f"{caught.value.message}{caught.value.hint}"


def test_a_server_that_is_killed_and_comes_back_has_all_or_nothing(sqld_folder: Path) -> None:
    server = start(sqld_folder)
    rows = [row(f"user-{number}") for number in range(3000)]
    with open_libsql(server.base_url, writing=True, patience=QUICK) as target:
        writing = threading.Thread(target=target.write, args=(rows,))
        writing.start()
        time.sleep(0.05)
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        server.start()
        writing.join()
        assert target.count_users() == 3000
    server.stop()


def test_another_writer_is_waited_for(sqld: str) -> None:
    with open_libsql(sqld, writing=True, patience=QUICK) as one:
        rows = [[row(f"user-{part}-{number}") for number in range(1000)] for part in range(4)]
        writers = [threading.Thread(target=one.write, args=(page,)) for page in rows]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert one.count_users() == 4000


def test_a_token_is_asked_for_and_given(sqld_folder: Path) -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (sqld_folder / "key.pem").write_bytes(public)
    server = start(sqld_folder, jwt_key=sqld_folder / "key.pem")
    token = jwt.encode(
        {"a": "rw", "exp": datetime.now(UTC) + timedelta(hours=1)}, key, algorithm="EdDSA"
    )
    with open_libsql(server.base_url, token=token, writing=True) as target:
        target.write([row("ada")])
    with pytest.raises(RefusedError, match="does not know our token"):
        LibsqlServer(server.base_url, token="wrong").is_absent()
    server.stop()


def test_reading_makes_no_tables_and_writes_nothing(sqld: str) -> None:
    way = LibsqlServer(sqld)
    assert way.is_absent()
    with pytest.raises(UsageError, match="has no tables"), way.opened(writing=False):
        pass
    with way.opened(writing=True, bulk=True):
        pass
    assert not way.is_absent()
    with (
        way.opened(writing=False) as target,
        pytest.raises(DependencyError, match="may not be written"),
    ):
        target.write([row("ada")])


def test_unknown_tables_are_refused_by_name(sqld: str) -> None:
    with open_libsql(sqld, writing=True) as target:
        target.database.write(
            [Run("DROP TABLE session"), Run("ALTER TABLE user RENAME COLUMN banned TO shut_out")]
        )
    with (
        pytest.raises(RefusedError, match=r"user has no column banned; there is no table session"),
        open_libsql(sqld, writing=True),
    ):
        pass


def test_every_type_of_value_travels_both_ways(sqld: str) -> None:
    values = [None, "", "ż\u2028", 2**53 + 1, -(2**63), 1.5, b"", b"\0\xff\x01"]
    with open_libsql(sqld, writing=True) as target:
        asked = target.database.ask(Run("SELECT ?, ?, ?, ?, ?, ?, ?, ?", values))
    assert asked == [[tuple(values)]]


def test_what_the_server_refuses_is_said_once_and_is_no_reason_to_repeat(sqld: str) -> None:
    with open_libsql(sqld, writing=True) as target:
        with pytest.raises(DependencyError, match="no such table: unknown"):
            target.database.ask(Run("SELECT * FROM unknown"))
        with pytest.raises(DependencyError, match="no such table: unknown"):
            target.database.write(
                [Run("DELETE FROM user")], [Run("INSERT INTO unknown VALUES (1)")]
            )


@pytest.mark.parametrize("url", ["ftp://x", "auther.db", "https://user:word@x.org", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"auther\.url is no address"):
        LibsqlServer(url)
