"""Connections to an application's PostgreSQL."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ConnStatus

from migrator.core.errors import UsageError
from migrator.core.queries import load
from migrator.core.sql import qualified
from migrator.legacy.arrays import PlainListDumper
from migrator.legacy.connection import APPLICATION_NAME, CONNECT_TIMEOUT_S, Activity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ANY_BYTES = "SQL_ASCII"


class PostgresConnection(psycopg.Connection[tuple[Any, ...]]):
    """Psycopg's connection, with what differs from database to database; threads take turns."""

    largest_key = 2**63 - 1
    quote = '"'
    runs_functions = True
    gives_columns = True
    # Between us and the server something hands each transaction to whichever session is free.
    pooled = False

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        # A COPY is several calls, between which psycopg would let another thread ask.
        self.turn = threading.RLock()

    def execute(self, *args: Any, **settings: Any) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run a statement."""
        with self.turn:
            return super().execute(*args, **settings)

    def wait(self, *args: Any, **settings: Any) -> Any:
        """Wait for the server.

        Raises:
            psycopg.OperationalError: The connection was lost.
        """
        try:
            return super().wait(*args, **settings)
        except ValueError as error:
            # A COPY ends with one result, and with two, which psycopg does not expect, where the server goes then.
            if self.pgconn.status == ConnStatus.OK:
                raise
            raise psycopg.OperationalError("the connection was lost") from error

    def limit(self, seconds: float) -> None:
        """End each statement that takes longer."""
        query = self.queries("connect.sql")["limit"]
        self.execute(query.encode(), {"milliseconds": str(round(seconds * 1000))})

    def queries(self, file: str) -> Mapping[str, str]:
        """Give the named queries of a file."""
        return load("migrator.legacy", file)

    def place(self, table: str) -> tuple[str, str]:
        """Split a table's name; the schema defaults to `public`."""
        return qualified(table)

    def activity(self) -> Activity:
        """Look into pg_stat_activity."""
        row = self.execute(self.queries("changes.sql")["activity"].encode()).fetchone()
        assert row is not None  # noqa: S101 - an aggregate without GROUP BY has one row
        return Activity(*row)

    def read_any_bytes(self) -> None:
        """Let a database without an encoding give its texts as they are, not refuse a whole statement.

        Afterwards only COPY gives text on this connection; other statements give bytes.
        """
        if self.info.parameter_status("server_encoding") == _ANY_BYTES:
            self.execute(self.queries("connect.sql")["any_bytes"].encode())


@contextmanager
def open_postgres(
    dsn: str, *, read_only: bool, name: str = APPLICATION_NAME
) -> Iterator[PostgresConnection]:
    """Connect.

    Args:
        dsn: `postgresql://…` or key=value pairs; appears in no message.
        read_only: The server itself refuses writes on this connection; behind a pooler those in a
            transaction.
        name: Shown in pg_stat_activity.

    Raises:
        UsageError: The DSN cannot be read.
        psycopg.Error: The server cannot be reached.
    """
    connection = _connect(dsn, name)
    try:
        if connection.pooled:
            # A setting of the session would be the next client's; ours begin with each transaction.
            connection.read_only = read_only
        else:
            query = "read_only" if read_only else "wait_for_locks"
            connection.execute(connection.queries("connect.sql")[query].encode())
        yield connection
    finally:
        connection.close()


def _connect(dsn: str, name: str) -> PostgresConnection:
    try:
        connection = PostgresConnection.connect(
            dsn,
            autocommit=True,
            application_name=name,
            connect_timeout=CONNECT_TIMEOUT_S,
            client_encoding="utf8",
        )
    except psycopg.ProgrammingError:
        # Its message repeats the DSN, with the password.
        raise UsageError(
            "legacy.dsn cannot be read as a PostgreSQL address",
            hint="write it as postgresql://user:password@host:port/database; "
            "or mysql://… for MariaDB, sqlite:/whole/path for a SQLite file",
        ) from None
    connection.adapters.register_dumper(list, PlainListDumper)
    row = connection.execute(connection.queries("connect.sql")["backend"].encode()).fetchone()
    # PgBouncer makes the number up by which a client cancels.
    connection.pooled = row is not None and row[0] != connection.info.backend_pid
    if connection.pooled:
        connection.prepare_threshold = None
    return connection
