"""Asks the named questions of survey.sql."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from migrator.core.sql import ident
from migrator.legacy.connect import compose
from migrator.legacy.findings import Relation

if TYPE_CHECKING:
    from migrator.legacy.connection import Connection

Row = dict[str, Any]
T = TypeVar("T")


class Questions:
    """The questions, put to one connection; each is a statement of its own.

    Values go by parameter; names and fragments that `quoted` made go by keyword.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queries = connection.queries("survey.sql")

    def rows(self, question: str, values: Row | None = None, /, **parts: str) -> list[Row]:
        """Ask and give all rows."""
        found = self._connection.execute(compose(self._queries[question], **parts), values or {})
        names = [column.name for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found]

    def row(self, question: str, values: Row | None = None, /, **parts: str) -> Row:
        """Ask a question that always has one row."""
        return self.rows(question, values, **parts)[0]

    def names(self, question: str, values: Row | None = None, /) -> tuple[str, ...]:
        """Ask for names."""
        return tuple(row["name"] for row in self.rows(question, values))

    def place(self, table: str) -> tuple[str, str]:
        """Split a table's name into schema and table."""
        return self._connection.place(table)

    def relation(self, schema: str, name: str) -> Relation | None:
        """Look a table up, None when there is none."""
        rows = self.rows("relation", {"schema": schema, "name": name})
        return filled(Relation, {**rows[0], "schema": schema, "name": name}) if rows else None

    def readable(self, relation: Relation) -> dict[str, bool]:
        """Tell for each column whether our role may read it."""
        rows = self.rows("columns", asdict(relation))
        return {row["name"]: relation.schema_usable and bool(row["readable"]) for row in rows}

    def quoted_or_null(self, column: str | None, kind: str) -> str:
        """Give a column as that type, or a NULL of it where there is no column."""
        return self._queries[kind].format(column="NULL" if column is None else quoted(column))

    def flag_as_time(self, column: str) -> str:
        """Give a flag as a time: it says that something happened, not when."""
        return self._queries["flag_as_time"].format(column=quoted(column))


def quoted(*parts: str) -> str:
    """Quote a name for a question."""
    return ident(*parts)


def filled(kind: type[T], row: Row) -> T:
    """Make a value of a row; not every database has truth values of its own."""
    flags = {name for name, hint in kind.__annotations__.items() if hint == "bool"}
    return kind(**{name: bool(v) if name in flags else v for name, v in row.items()})
