"""Connections to an application's MariaDB, through PyMySQL."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pymysql
from psycopg import errors
from pymysql.cursors import SSCursor

from migrator.core.errors import UsageError
from migrator.core.queries import load
from migrator.core.sql import qualified
from migrator.legacy.connection import APPLICATION_NAME, CONNECT_TIMEOUT_S, Activity
from migrator.legacy.mariadb.address import Address
from migrator.legacy.mariadb.values import CONVERSIONS, parameters, translated
from migrator.legacy.rows import LookAlike, Named, Rows, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrator.legacy.connection import Query
    from migrator.legacy.rows import Row

_OWN_DATABASE = "public"
# JSON_TABLE.
OLDEST = (10, 6)


class MariaDbConnection(LookAlike):
    """PyMySQL's connection in the shape of psycopg's."""

    begin = "START TRANSACTION"
    largest_key = 2**64 - 1
    quote = "`"
    runs_functions = False
    gives_columns = False

    def __init__(self, raw: pymysql.Connection[Any], database: str) -> None:
        super().__init__()
        self._raw = raw
        self._database = database

    def limit(self, seconds: float) -> None:
        """End each statement that takes longer."""
        self.execute(self.queries("connect.sql")["limit"], {"seconds": seconds})

    def queries(self, file: str) -> Mapping[str, str]:
        """Give the named queries of a file: PostgreSQL's, and in their place what differs here."""
        return {**load("migrator.legacy", file), **load("migrator.legacy.mariadb", file)}

    def execute(self, query: Query, params: Any = None, /) -> Rows:
        """Run a statement; lists among the parameters stand behind IN."""
        with self.turn, translated(), self._raw.cursor() as cursor:
            cursor.execute(text_of(query), parameters(params or {}))
            rows = list(cursor.fetchall())
            named = [Named(column[0]) for column in cursor.description or ()]
            return Rows(rows, cursor.rowcount, named or None)

    def rows(self, query: Query, params: Mapping[str, Any], /) -> list[dict[str, Any]]:
        """Run a statement and give its rows by the names of their columns."""
        found = self.execute(query, params)
        names = [column.name for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.rows]

    def stream(self, query: Query, /) -> Iterator[Row]:
        """Give a statement's rows one by one; nothing else may be run meanwhile."""
        with self.turn, translated(), self._raw.cursor(SSCursor) as cursor:
            cursor.execute(text_of(query), {})
            yield from cursor

    def send(self, statement: str, /) -> None:
        """Run a statement as it is written."""
        with self.turn, translated(), self._raw.cursor() as cursor:
            cursor.execute(statement)

    @property
    def closed(self) -> bool:
        """Whether the connection is no more."""
        return not self._raw.open

    @property
    def server(self) -> str:
        """The server's host and port."""
        return f"{self._raw.host}:{self._raw.port}"

    @property
    def database(self) -> str:
        """The DSN's database."""
        return self._database

    def insert(self, query: Query, rows: Sequence[Row], /) -> None:
        """Run an INSERT for each row."""
        with self.turn, translated(), self._raw.cursor() as cursor:
            cursor.executemany(text_of(query), rows)

    def place(self, table: str) -> tuple[str, str]:
        """Split a table's name; without a database, or with `public`, it is in the DSN's own."""
        schema, name = qualified(table)
        return (self._database if schema == _OWN_DATABASE else schema), name

    def activity(self) -> Activity:
        """Look into InnoDB's transactions, which takes the privilege PROCESS."""
        queries = self.queries("connect.sql")
        try:
            now, oldest = self.execute(queries["transactions"]).rows[0]
        except errors.InsufficientPrivilege:
            return Activity(self.execute(queries["clock"]).rows[0][0], None, 1, None)
        return Activity(now, oldest, 0, None)

    def read_any_bytes(self) -> None:
        """Columns with a character set come as UTF-8, those without one as they are: nothing to do."""


@contextmanager
def open_mariadb(
    dsn: str, *, read_only: bool, name: str = APPLICATION_NAME
) -> Iterator[MariaDbConnection]:
    """Connect.

    Args:
        dsn: `mysql://user:password@host:port/database`; appears in no message.
        read_only: The server itself refuses writes on this connection.
        name: A connection attribute, which the performance schema shows.

    Raises:
        UsageError: The DSN cannot be read, or the server is none of MariaDB's.
        psycopg.Error: The server cannot be reached.
    """
    address = Address.of(dsn)
    with translated():
        raw = _connect(address, name)
    try:
        connection = MariaDbConnection(raw, address.database)
        _refuse_others(connection)
        for query in ("session", "read_only" if read_only else "writing"):
            connection.execute(connection.queries("connect.sql")[query])
        yield connection
    finally:
        with suppress(pymysql.err.Error):
            raw.close()


def _connect(address: Address, name: str) -> pymysql.Connection[Any]:
    return pymysql.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        program_name=name,
        conv=CONVERSIONS,
        **address.options,
    )


def _refuse_others(connection: MariaDbConnection) -> None:
    version = str(connection.execute(connection.queries("connect.sql")["version"]).rows[0][0])
    is_mariadb = "mariadb" in version.lower()
    if not is_mariadb or tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise UsageError(
            f"legacy.dsn leads to {'MariaDB' if is_mariadb else 'MySQL'} {version}, with which"
            " nothing was ever tried",
            hint="take MariaDB 10.6 or later; 10.11 is what it was proven with",
        )
