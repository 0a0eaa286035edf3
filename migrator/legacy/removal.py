"""What a removal needs of a database, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from migrator.core.units import Unit
    from migrator.legacy.archived import Copying, Source
    from migrator.legacy.erasing import Archived, Erasing
    from migrator.legacy.execute import Patience
    from migrator.legacy.guard import Guard


class NewTables(Protocol):
    """Tables on their way into a database that has none of them; they are there once all are whole."""

    def copying(self, *, encoding: str) -> Copying:
        """Move rows."""
        ...

    def place(self, schema: str, name: str) -> tuple[str, str]:
        """Give where a table is meanwhile."""
        ...

    def make_types(
        self, types: Iterable[tuple[str, str]], kinds: Iterable[str]
    ) -> tuple[str, ...]:
        """Make types that are missing; see `make_missing_types`."""
        ...

    def run(self, sql: str) -> None:
        """Run SQL of an archive."""
        ...

    def run_if_possible(self, sql: str) -> str:
        """Run SQL that needs what a database may not have; give why it could not be run, empty when it was."""
        ...

    def set_sequence(self, schema: str, name: str, *, last_value: int, is_called: bool) -> None:
        """Put a sequence where it stood."""
        ...


class RemovalDatabase(Protocol):
    """The application's database while something goes from it."""

    @property
    def guard(self) -> Guard:
        """Lease, evidence and step log."""
        ...

    @property
    def server(self) -> str:
        """Host and port."""
        ...

    @property
    def pooled(self) -> bool:
        """Whether something on the way hands each transaction to another session."""
        ...

    @property
    def piecemeal(self) -> bool:
        """Whether each step, half applied, leaves something that its revert file takes back."""
        ...

    @property
    def scratch(self) -> str:
        """The schema that a drill restores into."""
        ...

    @property
    def archive(self) -> str:
        """The schema that rows come back into before the SQL takes them from there."""
        ...

    def tidy(self) -> None:
        """Once there is no plan here, remove what an interrupted beginning or end left of the removal's own."""
        ...

    def run_unit(self, unit: Unit, *, patience: Patience, oids: list[int]) -> None:
        """Run one unit; interrupted, it is run again as a whole. See `migrator.legacy.execute.run_unit`."""
        ...

    def told(self) -> AbstractContextManager[None]:
        """Turn what the guard or the server refuses inside the block into one sentence."""
        ...

    def transaction(self) -> AbstractContextManager[object]:
        """Let the block be one transaction; the catalog is not changed in it."""
        ...

    def snapshot(self) -> AbstractContextManager[Source]:
        """Open a transaction whose every statement sees the same rows."""
        ...

    def copying(self, *, encoding: str) -> Copying:
        """Move rows within a transaction."""
        ...

    def erasing(self, table: Archived, *, encoding: str) -> Erasing:
        """Find and delete rows of a table within a transaction."""
        ...

    def rehearsal(
        self, types: Iterable[tuple[str, str]], kinds: Iterable[str], *, encoding: str
    ) -> AbstractContextManager[Copying]:
        """Make the scratch schema for a block; types are as for `make_missing_types`. Nothing of it stays."""
        ...

    def loading(self, name: str, *, encoding: str) -> AbstractContextManager[Copying]:
        """Bring a table into the archive schema in the block: with all its rows, or it does not count as there."""
        ...

    def new_tables(self, names: Sequence[tuple[str, str]]) -> AbstractContextManager[NewTables]:
        """Make tables anew in the block, all or none; a RefusedError where one is there already."""
        ...
