"""Reads pages of users, each parted into those with nothing special about them and all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from migrator.legacy.connect import wrapped
from migrator.legacy.copybinary import copy_row
from migrator.legacy.plain import pick, pick_columns, read_columns
from migrator.legacy.reading import COLUMNS, LineReader, Lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from migrator.core.plain import PlainUsers
    from migrator.legacy.connection import Connection
    from migrator.legacy.reading import Asked, PageQueries


class Parted(NamedTuple):
    """A page.

    Attributes:
        plain: Those with nothing special about them.
        places: Where in the page the others are.
        others: Their lines, with what belongs to them.
        last_pk: Key of the last user.
    """

    plain: PlainUsers
    places: list[int]
    others: Lines
    last_pk: str


class PartedReader:
    """Reads whole columns where the database gives them, and lines where it does not.

    Lines cost several times as much, since each of them comes and is looked at on its own.

    Args:
        connection: To the application's database.
        queries: What is asked.
        apart: Keys and addresses of users who count among the others, whatever their rows say.
    """

    def __init__(
        self, connection: Connection, queries: PageQueries, *, apart: frozenset[str]
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._apart = apart
        self._lines = LineReader(connection, queries)

    def pages(self, *, rows: int) -> Iterator[Parted]:
        """Read all users in key order.

        Raises:
            DependencyError: The database failed; what was given out is complete up to there.
        """
        page = self._page_after(None, rows)
        while page is not None:
            yield page
            page = self._page_after(page.last_pk, rows)

    def among(self, pks: Sequence[str]) -> Parted | None:
        """Read single users; keys that nobody has are left out, and None is nobody at all."""
        return self._page(self._queries.among(pks), len(pks))

    def among_columns(self, columns: PlainUsers) -> Parted:
        """Complete a page of which the columns were read."""
        return self._by_columns(self._queries.among(columns.pks), columns)

    def _page_after(self, pk: str | None, rows: int) -> Parted | None:
        return self._page(self._queries.after(pk), rows)

    def _page(self, asked: Asked, rows: int) -> Parted | None:
        columns = self._columns(asked, rows)
        return self._by_lines(asked, rows) if columns is None else self._by_columns(asked, columns)

    def _columns(self, asked: Asked, rows: int) -> PlainUsers | None:
        query = self._queries.texts.get((COLUMNS, asked.which))
        if query is None:
            return None
        with wrapped("reading users"):
            return read_columns(copy_row(self._connection, query, {"rows": rows, **asked.params}))

    def _by_columns(self, asked: Asked, columns: PlainUsers) -> Parted:
        pks = columns.pks
        with wrapped("reading users"):
            page = self._lines.with_belongings([], asked, last=pks[-1])
            plain, places = pick_columns(columns, apart=self._apart | page.beside())
            if not places:
                return Parted(plain, [], Lines([], [], []), pks[-1])
            others = page._replace(users=self._lines.users([pks[place] for place in places]))
        return Parted(plain, places_left(places, pks, set(others.keys())), others, pks[-1])

    def _by_lines(self, asked: Asked, rows: int) -> Parted | None:
        lines = self._lines.page(asked, rows=rows)
        last = lines.last_pk()
        if last is None:
            return None
        plain, places = pick(lines.users, apart=self._apart | lines.beside())
        others = lines._replace(users=[lines.users[place] for place in places])
        return Parted(plain, places, others, last)


def places_left(places: Sequence[int], pks: Sequence[str], there: Collection[str]) -> list[int]:
    """Give the places of some users in a page, without those of them who were deleted meanwhile.

    Args:
        places: In the page as it was.
        pks: The keys of that page.
        there: The keys of those who are still there.
    """
    left: list[int] = []
    for before, place in enumerate(places):
        if pks[place] in there:
            left.append(place - before + len(left))
    return left
