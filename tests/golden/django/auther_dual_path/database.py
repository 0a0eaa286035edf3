"""Statements on Django's own connection: the default database, so let it be the primary."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError, InterfaceError, connection

from .model import VerificationUnavailableError

Row = tuple[Any, ...]


class Database:
    """The application's database."""

    def ask(self, query: str, values: Any) -> Row | None:
        """Run one statement and give its first row.

        Raises:
            VerificationUnavailableError: The database does not answer.
        """
        try:
            return _execute(query, values)
        except (DatabaseError, InterfaceError):
            raise VerificationUnavailableError("database", 1) from None

    def run(self, query: str, values: Any) -> Row | None:
        """Run one statement beside the requests; may raise what Django raises."""
        # Between requests Django does this itself, but not on a thread that serves none.
        connection.close_if_unusable_or_obsolete()
        return _execute(query, values)


@contextlib.contextmanager
def connection_of_this_thread() -> Iterator[None]:
    """Close the connection of a thread that ends."""
    try:
        yield
    finally:
        connection.close()


def _execute(query: str, values: Any) -> Row | None:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone() if cursor.description else None
