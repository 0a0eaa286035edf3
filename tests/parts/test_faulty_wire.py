"""The proxies that break: without a plan they change nothing, with one they break as planned."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from migrator.conformance.issuer import Issuer
from tests.parts.faulty_wire import Fault, FaultyHttp, FaultyTcp, Planned

if TYPE_CHECKING:
    from tests.parts.postgres import PostgresServer

ROWS = "SELECT repeat('x', 1000) FROM generate_series(1, 1000)"


def _through(dsn: str, server: PostgresServer, wire: FaultyTcp) -> str:
    return dsn.replace(f":{server.port}/", f":{wire.port}/")


def test_a_cut_ends_the_read_in_its_middle_and_the_next_connection_works(
    fresh_db: str, postgres: PostgresServer
) -> None:
    with FaultyTcp(postgres.port) as wire:
        dsn = _through(fresh_db, postgres, wire)
        with psycopg.connect(dsn) as connection:
            wire.cut_after(100_000)
            with pytest.raises(psycopg.OperationalError):
                connection.execute(ROWS).fetchall()
        with psycopg.connect(dsn) as connection:
            assert len(connection.execute(ROWS).fetchall()) == 1000
        assert wire.cuts == 1


def test_after_a_cut_the_server_can_be_away(fresh_db: str, postgres: PostgresServer) -> None:
    with FaultyTcp(postgres.port) as wire:
        dsn = _through(fresh_db, postgres, wire)
        wire.cut_after(1, away_s=0.5)
        for _ in range(2):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(dsn)
        time.sleep(0.5)
        psycopg.connect(dsn).close()


def test_each_request_fails_as_planned_and_the_others_pass() -> None:
    faults = list(enumerate(Fault))
    plan = [Planned(2 * number, fault, seconds=0.3) for number, fault in faults]
    with Issuer() as issuer, FaultyHttp(issuer.issuer, plan) as proxy:
        keys = issuer.jwks_url.removeprefix(issuer.issuer)
        quiet = httpx.get(issuer.jwks_url).json()
        for _, fault in faults:
            assert _ask(proxy.base_url + keys) == _EXPECTED[fault]
            if fault is Fault.AWAY:
                time.sleep(0.3)
            assert httpx.get(proxy.base_url + keys).json() == quiet
        assert proxy.happened == list(Fault)


_EXPECTED = {
    Fault.TOO_MANY: "429 1",
    Fault.SERVER_ERROR: "500 ",
    Fault.RESET_BEFORE: "ReadError",
    Fault.RESET_AFTER: "ReadError",
    Fault.HALF_ANSWER: "ReadError",
    Fault.SLOW: "ReadTimeout",
    Fault.AWAY: "ReadError",
}


def _ask(url: str) -> str:
    try:
        answer = httpx.get(url, timeout=0.2)
    except httpx.HTTPError as error:
        return type(error).__name__
    return f"{answer.status_code} {answer.headers.get('X-Retry-After', '')}"
