"""A database of Auther's as the statements see it: questions, and groups of steps that go in whole."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from migrator.core.queries import load
from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrator.auther.interface import Alike

_QUERIES = load("migrator.auther.ways", "database.sql")
# Larger statements are no faster; the smaller ones take what is left over.
_STATEMENT_ROWS = (250, 25, 1)


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


class InsertAlike(NamedTuple):
    """Rows for one table that have most values in common."""

    table: str
    rows: Alike

    def as_rows(self) -> Insert:
        """Give the same row by row."""
        return Insert(self.table, self.rows.columns, self.rows.rows())

    def statements(self) -> Iterator[Run]:
        """Give statements of many rows each: they take two thirds of what as many single ones take."""
        same, varying = list(self.rows.same.values()), self.rows.varying
        start, step = 0, len(varying)
        for rows in _STATEMENT_ROWS:
            sql = _many_rows(self.table, tuple(self.rows.same), tuple(varying), rows)
            while start + rows <= len(self.rows):
                bound: list[Any] = [*same, *[None] * (step * rows)]
                for place, values in enumerate(varying.values(), len(same)):
                    bound[place::step] = values[start : start + rows]
                yield Run(sql, bound)
                start += rows


@lru_cache(maxsize=32)
def _many_rows(table: str, same: tuple[str, ...], varying: tuple[str, ...], rows: int) -> str:
    """Number the places, so that a value that all rows share is bound once."""
    shared = [f"?{1 + place}" for place in range(len(same))]
    row = [
        ", ".join([*shared, *(f"?{1 + first + place}" for place in range(len(varying)))])
        for first in range(len(same), len(same) + rows * len(varying), len(varying))
    ]
    return _QUERIES["insert_row"].format(
        table=ident(table),
        columns=", ".join(map(ident, (*same, *varying))),
        places="), (".join(row),
        conflict="",
    )


class Each(NamedTuple):
    """One statement for each of some rows of values.

    Attributes:
        sql: With `{v[0]}`, `{v[1]}` and so on for the values, and `{rows}` for a FROM that gives them.
    """

    sql: str
    rows: Sequence[Sequence[Any]]

    def one_row(self) -> str:
        """Give the statement for one row, whose values are its parameters."""
        places = [f"?{1 + place}" for place in range(len(self.rows[0]))]
        return self.sql.format(v=places, rows="")

    def all_rows(self) -> str:
        """Give the statement for all rows, which are one parameter: a JSON array of arrays."""
        values = [f"(c.value ->> {place})" for place in range(len(self.rows[0]))]
        return self.sql.format(v=values, rows=_QUERIES["rows"])


Step = Run | Insert | InsertAlike | Each


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
