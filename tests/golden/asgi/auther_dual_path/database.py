"""Plain psycopg connections on a few threads of their own.

So that neither the event loop nor the application's pool waits for them.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from .model import VerificationUnavailableError

Row = tuple[Any, ...]


class Database:
    """The application's database.

    Args:
        dsn: Of the primary, not of a replica.
        timeout_s: After this long without an answer the request gets a 503.
    """

    def __init__(self, dsn: str, *, timeout_s: float, threads: int) -> None:
        self._dsn = dsn
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="auther-people")
        self._local = threading.local()

    async def ask(self, query: str, values: Any) -> Row | None:
        """Run one statement and give its first row.

        Raises:
            VerificationUnavailableError: The database does not answer.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await loop.run_in_executor(self._threads, self.run, query, values)
        except (psycopg.Error, TimeoutError):
            raise VerificationUnavailableError("database", 1) from None

    def run(self, query: str, values: Any) -> Row | None:
        """Run one statement on this thread; may raise what psycopg raises."""
        try:
            return self._execute(query, values)
        except psycopg.OperationalError:
            # The connection may have died while it lay idle; a second failure is the server's.
            self._local.connection = None
            return self._execute(query, values)

    def _execute(self, query: str, values: Any) -> Row | None:
        cursor = self._connection().execute(query, values)
        return cursor.fetchone() if cursor.description else None

    def _connection(self) -> psycopg.Connection[Row]:
        connection = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            # No prepared statements: behind PgBouncer they would belong to somebody else.
            connection = psycopg.connect(
                self._dsn, autocommit=True, connect_timeout=2, prepare_threshold=None
            )
            self._local.connection = connection
        return connection
