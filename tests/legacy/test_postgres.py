"""What psycopg makes of a connection that is lost while something is written: a database that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.legacy.connect import connect_to_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.legacy.postgres import PostgresConnection


@pytest.fixture
def connection(fresh_db: str) -> Iterator[PostgresConnection]:
    with connect_to_postgres(fresh_db, read_only=True) as connection:
        yield connection


def two_results(lost: PostgresConnection | None = None) -> Iterator[int]:
    if lost:
        lost.pgconn.finish()
    (_,) = ["COPY 5000", "server closed the connection unexpectedly"]
    yield 0


def test_two_results_where_psycopg_expects_one_are_a_lost_connection(
    connection: PostgresConnection,
) -> None:
    with pytest.raises(psycopg.OperationalError, match="the connection was lost"):
        connection.wait(two_results(connection))


def test_with_a_good_connection_they_are_a_defect(connection: PostgresConnection) -> None:
    with pytest.raises(ValueError, match="too many values"):
        connection.wait(two_results())
