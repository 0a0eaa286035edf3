"""A database of Auther's as the statements see it: questions, and groups of steps that go in whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from migrator.core.queries import load
from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUERIES = load("migrator.auther.ways", "database.sql")


class Run(NamedTuple):
    """One statement, to ask or to write."""

    sql: str
    values: Sequence[Any] = ()


class Insert(NamedTuple):
    """Rows for one table; each brings a value for each column.

    Attributes:
        lenient: A row whose id is there already is passed over; otherwise it is in the way.
    """

    table: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    lenient: bool = False

    def one_row(self) -> str:
        """Give the statement that writes one row, with a place for each value."""
        return _QUERIES["insert_row"].format(
            table=ident(self.table),
            columns=", ".join(map(ident, self.columns)),
            places=", ".join("?" * len(self.columns)),
            conflict=_QUERIES["pass_over"] if self.lenient else "",
        )

    def all_rows(self) -> str:
        """Give the statement that writes all rows, which are one parameter: a JSON array of arrays."""
        return _QUERIES["insert_rows"].format(
            table=ident(self.table),
            columns=", ".join(map(ident, self.columns)),
            values=", ".join(f"value ->> {place}" for place in range(len(self.columns))),
            conflict=_QUERIES["pass_over"] if self.lenient else "",
        )


Step = Run | Insert


def pass_over() -> str:
    """Give the clause by which a row whose id is there already is passed over."""
    return _QUERIES["pass_over"]


class Database(Protocol):
    """SQLite, wherever it runs.

    Attributes:
        name: What messages call it; no secrets.
    """

    name: str

    def ask(self, *questions: Run) -> list[list[tuple[Any, ...]]]:
        """Ask, in one go where that saves a journey.

        Returns:
            The rows of each question.

        Raises:
            DependencyError: The database is busy, damaged or gone.
        """
        ...

    def write(self, *groups: Sequence[Step]) -> list[list[int] | None]:
        """Write in one transaction, each group all or none.

        Returns:
            For each group the number of rows that each step wrote; None for a group that was left
            out because a row of it was in the way of another one, or lacked a value.

        Raises:
            DependencyError: The database is busy, full or gone; nothing was written.
        """
        ...
