"""A removal's PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.legacy import archived, execute
from migrator.legacy.archived import SCRATCH, Copying
from migrator.legacy.erasing import Erasing
from migrator.legacy.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from migrator.core.units import Unit
    from migrator.legacy.archived import Source
    from migrator.legacy.erasing import Archived
    from migrator.legacy.execute import Patience
    from migrator.legacy.postgres import PostgresConnection

ARCHIVE = "migrator_archive"


class PostgresRemoval:
    """PostgreSQL, whose changes of the catalog are part of a transaction."""

    piecemeal = False
    scratch = SCRATCH
    archive = ARCHIVE

    def __init__(self, connection: PostgresConnection) -> None:
        self.connection = connection
        self.guard = Guard(connection)

    @property
    def server(self) -> str:
        """Host and port."""
        info = self.connection.info
        return f"{info.host}:{info.port}"

    @property
    def pooled(self) -> bool:
        """Whether a pooler hands each transaction to another session."""
        return self.connection.pooled

    def tidy(self) -> None:
        """Nothing is left half done: the guard schema comes and goes in one transaction."""

    def run_unit(self, unit: Unit, *, patience: Patience, oids: list[int]) -> None:
        """Run one unit."""
        execute.run_unit(self.connection, unit, patience=patience, oids=oids)

    def told(self) -> AbstractContextManager[None]:
        """Turn refusals into one sentence."""
        return execute.told(self.connection)

    def transaction(self) -> AbstractContextManager[object]:
        """Let the block be one transaction."""
        return self.connection.transaction()

    def snapshot(self) -> AbstractContextManager[Source]:
        """Open a transaction that sees the same rows."""
        return archived.snapshot(self.connection)

    def copying(self, *, encoding: str) -> Copying:
        """Move rows within a transaction."""
        return Copying(self.connection, encoding=encoding)

    def erasing(self, table: Archived, *, encoding: str) -> Erasing:
        """Find and delete rows of a table within a transaction."""
        return Erasing(self.connection, table, encoding=encoding)

    @contextmanager
    def rehearsal(
        self, types: Iterable[tuple[str, str]], kinds: Iterable[str], *, encoding: str
    ) -> Iterator[Copying]:
        """Make the scratch schema in a transaction that is rolled back."""
        with self.connection.transaction(force_rollback=True):
            copying = self.copying(encoding=encoding)
            copying.make_scratch()
            archived.make_missing_types(self.connection, types, kinds)
            yield copying

    @contextmanager
    def loading(self, name: str, *, encoding: str) -> Iterator[Copying]:  # noqa: ARG002 - being there says it
        """Bring a table into the archive schema in one transaction."""
        with self.connection.transaction():
            self.guard.check_lease()
            yield self.copying(encoding=encoding)

    @contextmanager
    def new_tables(self, names: Sequence[tuple[str, str]]) -> Iterator[PostgresNewTables]:
        """Make tables anew in one transaction."""
        archived.require_empty_place(self.connection, names)
        with self.connection.transaction():
            yield PostgresNewTables(self.connection)


class PostgresNewTables:
    """Tables on their way, within a transaction."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def copying(self, *, encoding: str) -> Copying:
        """Move rows."""
        return Copying(self._connection, encoding=encoding)

    def place(self, schema: str, name: str) -> tuple[str, str]:
        """Give its own place."""
        return schema, name

    def make_types(
        self, types: Iterable[tuple[str, str]], kinds: Iterable[str]
    ) -> tuple[str, ...]:
        """Make types that are missing; give those that were there."""
        return archived.make_missing_types(self._connection, types, kinds)

    def run(self, sql: str) -> None:
        """Run SQL."""
        self._connection.execute(sql.encode())

    def run_if_possible(self, sql: str) -> str:
        """Run SQL or say why not."""
        return archived.make_if_possible(self._connection, sql)

    def set_sequence(self, schema: str, name: str, *, last_value: int, is_called: bool) -> None:
        """Put a sequence where it stood."""
        archived.set_sequence(
            self._connection, (schema, name), last_value=last_value, is_called=is_called
        )
