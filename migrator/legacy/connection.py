"""What every connection to an application's database can do, whatever database that is.

It is the part of psycopg's interface that reading and our own tables need: named parameters
(`%(name)s`), statements that are transactions of their own, COPY's text form for many rows,
psycopg's exceptions, which are named after SQLSTATEs. The SQL is each database's own, in files
with the same named queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from psycopg import sql

    Query = sql.Composed | sql.SQL | bytes | str

APPLICATION_NAME = "migrator"
CONNECT_TIMEOUT_S = 10


class Column(Protocol):
    """A column of a result."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


class Result(Protocol):
    """What a statement gave."""

    @property
    def description(self) -> Sequence[Column] | None:
        """The columns; None where there are no rows to give."""
        ...

    @property
    def rowcount(self) -> int:
        """How many rows were given or written."""
        ...

    def fetchall(self) -> list[Any]:
        """Give all rows that are left."""
        ...

    def fetchone(self) -> Any:
        """Give the next row, None after the last one."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Give row after row."""
        ...


class Copy(Protocol):
    """Many rows at once, in the text form of PostgreSQL's COPY."""

    def __iter__(self) -> Iterator[Any]:
        """Give what is read, in pieces of any size."""
        ...

    def write(self, buffer: bytes, /) -> None:
        """Take rows to be written when the block ends."""
        ...


class Copier(Protocol):
    """A cursor, of which COPY is all that is used."""

    def copy(self, statement: Any, params: Any = None, /) -> AbstractContextManager[Copy]:
        """Read or write many rows."""
        ...


@dataclass(frozen=True)
class Activity:
    """Which transactions are open, by the database's clock.

    Attributes:
        oldest: When the oldest one that we see began, None without any.
        unseen: Sessions whose transactions our role may not see.
        prepared: When the oldest two-phase transaction was prepared, None without any.
    """

    now: datetime
    oldest: datetime | None
    unseen: int
    prepared: datetime | None


class Connection(Protocol):
    """An open connection; every statement outside of `transaction` is one of its own.

    Attributes:
        turn: Held while something is asked, so that threads may ask at any time.
    """

    turn: threading.RLock

    @property
    def largest_key(self) -> int:
        """The largest integer that a key can be."""
        ...

    @property
    def quote(self) -> str:
        """What names are quoted with where an operator types."""
        ...

    @property
    def gives_columns(self) -> bool:
        """Whether a page can be read as one text for each column."""
        ...

    @property
    def runs_functions(self) -> bool:
        """Whether the function that shims call for new users can be made here."""
        ...

    def limit(self, seconds: float) -> None:
        """End each statement that takes longer, with `QueryCanceled`."""
        ...

    def queries(self, file: str) -> Mapping[str, str]:
        """Give the named queries of a file, in this database's SQL."""
        ...

    def execute(self, query: Any, params: Any = None, /) -> Result:
        """Run a statement.

        Raises:
            psycopg.Error: The database failed, whichever it is.
        """
        ...

    def cursor(self) -> AbstractContextManager[Copier]:
        """Give a cursor."""
        ...

    def transaction(self) -> AbstractContextManager[Any]:
        """Let the statements of the block be one transaction; inside another one, a savepoint."""
        ...

    def place(self, table: str) -> tuple[str, str]:
        """Split a table's name, as written in migrator.toml, into schema and table."""
        ...

    def activity(self) -> Activity:
        """Look which transactions are open; ask before reading."""
        ...

    def read_any_bytes(self) -> None:
        """Let texts that are no UTF-8 be read as they are; they come as lone surrogates."""
        ...


@dataclass(frozen=True)
class DatabaseKind:
    """A database that users can be read from.

    Attributes:
        name: For people.
        schemes: What its DSN begins with.
        open: Connects with a DSN, under a name where the database knows names; raises as
            `open_database` does.
    """

    name: str
    schemes: tuple[str, ...]
    open: Callable[..., AbstractContextManager[Connection]]
