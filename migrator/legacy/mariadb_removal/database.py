"""A removal's MariaDB."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from migrator.core.errors import HeldError
from migrator.core.mariadb import CONCAT_BYTES, SQL_MODE
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.archived import Source
from migrator.legacy.connect import compose
from migrator.legacy.execute import attempts
from migrator.legacy.mariadb_removal.archived import MariaDbCopying
from migrator.legacy.mariadb_removal.erasing import MariaDbErasing
from migrator.legacy.mariadb_removal.guard import MariaDbGuard
from migrator.legacy.mariadb_removal.new_tables import END, MariaDbNewTables, require_empty_place
from migrator.legacy.mariadb_removal.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from migrator.core.units import Unit
    from migrator.legacy.erasing import Archived
    from migrator.legacy.execute import Patience
    from migrator.legacy.mariadb.connection import MariaDbConnection


class MariaDbRemoval:
    """MariaDB, whose changes of the catalog are done at once, each by itself.

    Args:
        connection: In autocommit.
        wait_s: How long a lock is waited for.
    """

    piecemeal = True
    pooled = False

    def __init__(self, connection: MariaDbConnection, *, wait_s: int) -> None:
        self.connection = connection
        self.guard = MariaDbGuard(connection)
        self.scratch = self.guard.places.scratch
        self.archive = self.guard.places.archive
        self._ask("session", mode=SQL_MODE, wait_s=wait_s, concat_bytes=CONCAT_BYTES)

    @property
    def server(self) -> str:
        """Host and port."""
        return self.connection.server

    def run_unit(self, unit: Unit, *, patience: Patience, oids: list[int]) -> None:
        """Run one unit, statement by statement."""
        try:
            for attempt in attempts(patience):
                with attempt:
                    self._send(unit)
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            raise HeldError(
                f"no lock for {unit.name} after {patience.attempts} tries; {self._in_the_way(oids)}",
                hint="let those transactions end, then the same command: it goes on where it stopped",
            ) from error
        except psycopg.Error as error:
            refuse(error)

    def tidy(self) -> None:
        """Drop the removal's own databases as far as they are there: the server drops none at one blow."""
        with self.told():
            for row in self.connection.rows(_text("leftovers"), vars(self.guard.places)):
                self._ask("no_database", database=ident(row["name"]))

    def _send(self, unit: Unit) -> None:
        # Behind the last one there is at most a comment about what comes next.
        for statement in unit.text.split(END)[:-1]:
            self.connection.send(statement)

    def _in_the_way(self, oids: list[int]) -> str:
        found = self.guard.in_the_way(oids)
        said = "; ".join(
            f"connection {row['id']} ({row['user']}, {row['command']} for {row['seconds']} s, {row['mode']})"
            for row in found
        )
        if self.guard.knows_locks():
            return f"in the way: {said or 'nobody any more'}"
        return (
            "this server does not say who holds it (INSTALL SONAME 'metadata_lock_info' would); "
            f"open transactions: {said or 'none'}"
        )

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what the guard or MariaDB refuses inside the block into one sentence."""
        try:
            yield
        except psycopg.Error as error:
            refuse(error)

    def transaction(self) -> AbstractContextManager[object]:
        """Let the block be one transaction."""
        return self.connection.transaction()

    @contextmanager
    def snapshot(self) -> Iterator[Source]:
        """Open a transaction whose every statement sees the same rows."""
        self._ask("snapshot")
        self._ask("begin_snapshot")
        try:
            facts = self.connection.rows(_text("facts"), {})[0]
            version = [int(part) for part in facts["version"].split("-")[0].split(".")]
            number = version[0] * 10_000 + version[1] * 100 + version[2]
            yield Source(
                facts["database"], number, facts["encoding"], facts["snapshot_at"], of_mariadb=True
            )
            self.connection.send("COMMIT")
        except BaseException:
            with suppress(psycopg.Error):
                self.connection.send("ROLLBACK")
            raise

    def copying(self, *, encoding: str) -> MariaDbCopying:  # noqa: ARG002 - the session's is UTF-8
        """Move rows."""
        return MariaDbCopying(self.connection)

    def erasing(self, table: Archived, *, encoding: str) -> MariaDbErasing:  # noqa: ARG002
        """Find and delete rows of a table within a transaction."""
        return MariaDbErasing(self.connection, table)

    @contextmanager
    def rehearsal(
        self,
        types: Iterable[tuple[str, str]],  # noqa: ARG002 - MariaDB has none of the application's own
        kinds: Iterable[str],  # noqa: ARG002
        *,
        encoding: str,
    ) -> Iterator[MariaDbCopying]:
        """Make the scratch database for a block; what an interrupted one left goes first."""
        self._ask("no_database", database=ident(self.scratch))
        self._ask("make_scratch", database=ident(self.scratch))
        try:
            yield self.copying(encoding=encoding)
        finally:
            if not self.connection.closed:
                self.connection.send("ROLLBACK")
                self._ask("no_database", database=ident(self.scratch))

    @contextmanager
    def loading(self, name: str, *, encoding: str) -> Iterator[MariaDbCopying]:
        """Bring a table into the archive database; it counts as there once its rows and their mark are."""
        with self.connection.transaction():
            self.guard.check_lease()
            yield self.copying(encoding=encoding)
            self.guard.check_lease()
            self.guard.record_loaded(name)

    @contextmanager
    def new_tables(self, names: Sequence[tuple[str, str]]) -> Iterator[MariaDbNewTables]:
        """Make tables anew in the scratch database; one RENAME moves them all to where they belong."""
        with self.rehearsal((), (), encoding=""):
            require_empty_place(self.connection, names)
            new = MariaDbNewTables(self.connection, self.scratch)
            with new.at_home():
                yield new
            new.move(names)

    def _ask(self, query: str, **parts: Any) -> None:
        self.connection.execute(compose(_text(query), **{k: str(v) for k, v in parts.items()}))


def _text(name: str) -> str:
    return load("migrator.legacy.mariadb_removal", "archived.sql")[name]
