"""Tables on their way out of an archive into a MariaDB that has none of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from migrator.core.errors import RefusedError
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.connect import compose
from migrator.legacy.mariadb_removal.archived import MariaDbCopying
from migrator.legacy.mariadb_removal.catalog import table_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from migrator.legacy.mariadb.connection import MariaDbConnection

END = "\n$migrator$\n"


class MariaDbNewTables:
    """Tables in a scratch database, each in its last definition.

    Args:
        connection: In autocommit.
        scratch: The database where they are made.
    """

    def __init__(self, connection: MariaDbConnection, scratch: str) -> None:
        self._connection, self._scratch = connection, scratch

    @contextmanager
    def at_home(self) -> Iterator[None]:
        """Let names without a database mean the scratch database."""
        self._do("use", database=ident(self._scratch))
        try:
            yield
        finally:
            if not self._connection.closed:
                self._do("use", database=ident(self._connection.database))

    def copying(self, *, encoding: str) -> MariaDbCopying:  # noqa: ARG002 - the session's is UTF-8
        """Move rows."""
        return MariaDbCopying(self._connection)

    def place(self, schema: str, name: str) -> tuple[str, str]:  # noqa: ARG002
        """Give its place in the scratch database."""
        return self._scratch, name

    def make_types(
        self,
        types: Iterable[tuple[str, str]],  # noqa: ARG002 - MariaDB has none of the application's own
        kinds: Iterable[str],  # noqa: ARG002
    ) -> tuple[str, ...]:
        """Make none."""
        return ()

    def run(self, sql: str) -> None:
        """Run statements; rows that come next are one transaction."""
        for statement in filter(str.strip, sql.split(END)):
            self._connection.send(statement)
        self._connection.send(self._connection.begin)

    def run_if_possible(self, sql: str) -> str:
        """Run statements or say why not."""
        try:
            self.run(sql)
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            return str(error)
        return ""

    def set_sequence(self, schema: str, name: str, *, last_value: int, is_called: bool) -> None:  # noqa: ARG002
        """Put AUTO_INCREMENT where it stood."""
        self._do("set_counter", table=ident(self._scratch, name), value=str(last_value))

    def move(self, names: Sequence[tuple[str, str]]) -> None:
        """Move them into the connection's database, all at once."""
        there = self._connection.database
        moves = (f"{ident(self._scratch, name)} TO {ident(there, name)}" for _, name in names)
        self._do("move", moves=", ".join(moves))

    def _do(self, query: str, **parts: Any) -> None:
        text = load("migrator.legacy.mariadb_removal", "archived.sql")[query]
        self._connection.execute(compose(text, **parts))


def require_empty_place(connection: MariaDbConnection, tables: Sequence[tuple[str, str]]) -> None:
    """Make sure that tables can be made anew.

    Raises:
        RefusedError: One is there already.
    """
    known = set(table_names(connection, connection.database))
    if there := sorted({name for _, name in tables} & known):
        raise RefusedError(
            f"there already: {', '.join(there)}", hint="restore into a new, empty database"
        )
