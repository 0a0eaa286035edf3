"""What connections other than psycopg's need to look like it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from psycopg import errors

from migrator.legacy.copytext import dump, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from migrator.legacy.connection import Query

Row = tuple[Any, ...]
NOT_STORABLE = "a value that no database can hold"


@dataclass(frozen=True)
class Named:
    """A column of a result."""

    name: str


@dataclass
class Rows:
    """A result that was read to its end."""

    rows: list[Row]
    rowcount: int
    description: list[Named] | None = None
    _left: Iterator[Row] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._left = iter(self.rows)

    def fetchall(self) -> list[Row]:
        """Give all rows that are left."""
        return list(self._left)

    def fetchone(self) -> Row | None:
        """Give the next row, None after the last one."""
        return next(self._left, None)

    def __iter__(self) -> Iterator[Row]:
        """Give row after row."""
        return self._left


class CopiedRows:
    """Reads by a SELECT, or writes by an INSERT, what PostgreSQL would COPY."""

    def __init__(self, read: Callable[[], Iterable[Row]]) -> None:
        self._read = read
        self.written: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        """Give the rows as lines of COPY text."""
        yield dump([map(as_text, row) for row in self._read()])

    def write(self, buffer: bytes, /) -> None:
        """Take rows to be written when the block ends."""
        self.written.append(buffer)


class LookAlike(ABC):
    """What connections in psycopg's shape have in common; threads take turns."""

    begin = "BEGIN"

    def __init__(self) -> None:
        self.turn = threading.RLock()
        self._depth = 0

    @abstractmethod
    def execute(self, query: Query, params: Any = None, /) -> Rows:
        """Run a statement."""

    @abstractmethod
    def insert(self, query: Query, rows: Sequence[Row], /) -> None:
        """Run an INSERT for each row."""

    def cursor(self) -> Cursor:
        """Give a cursor."""
        return Cursor(self.execute, self.insert)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Let the statements of the block be one transaction; inside another one, a savepoint."""
        with self.turn:
            point = f"s{self._depth}"
            self.execute(f"SAVEPOINT {point}" if self._depth else self.begin)
            self._depth += 1
            try:
                yield
            except BaseException:
                # The connection may be what failed: then all is undone anyway.
                with suppress(errors.Error):
                    self._ended(f"ROLLBACK TO {point}", "ROLLBACK")
                raise
            self._ended(f"RELEASE SAVEPOINT {point}", "COMMIT")

    def _ended(self, inner: str, outer: str) -> None:
        self._depth -= 1
        self.execute(inner if self._depth else outer)


class Cursor:
    """Copies through two functions: one reads by a SELECT, one writes rows by an INSERT."""

    def __init__(
        self,
        read: Callable[[Query, Any], Iterable[Row]],
        write: Callable[[Query, Sequence[Row]], None],
    ) -> None:
        self._read = read
        self._write = write

    def __enter__(self) -> Self:
        """Give the cursor, which holds nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""

    @contextmanager
    def copy(self, statement: Query, params: Any = None, /) -> Iterator[CopiedRows]:
        """Read or write many rows; the block's rows are written when it ends without an error."""
        copied = CopiedRows(lambda: self._read(statement, params or {}))
        yield copied
        if copied.written:
            lines = b"".join(copied.written).decode().split("\n")[:-1]
            self._write(statement, [tuple(row) for row in parse(lines)])


def text_of(query: Query) -> str:
    """Give a statement's text."""
    if isinstance(query, bytes):
        return query.decode()
    return query if isinstance(query, str) else query.as_string(None)


def as_text(value: Any) -> str | None:
    """Write a value as COPY would; bytes that are no text become lone surrogates."""
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
