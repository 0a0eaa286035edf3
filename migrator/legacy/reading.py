"""Reads users as lines of COPY, page by page; needs nothing but a connection and ready SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.legacy.connect import wrapped
from migrator.legacy.copytext import copy_lines, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrator.legacy.connection import Connection

USERS, LINKS, ROLES, COLUMNS = "users_page", "identities_page", "roles_page", "users_columns"
WHICH = ("all", "beyond", "among", "among_integers")


class Lines(NamedTuple):
    """A page as PostgreSQL sent it, without the ends of lines; each line begins with a user's key.

    Attributes:
        links: Identities of these users; empty where there are none, like `roles`.
    """

    users: list[str]
    links: list[str]
    roles: list[str]

    def keys(self) -> list[str]:
        """Give the users' keys as they stand in the lines, escaped where they need it."""
        return [_key(line) for line in self.users]

    def beside(self) -> frozenset[str]:
        """Give the keys, as they stand in the lines, of users who have identities or roles."""
        return frozenset(_key(line) for line in (*self.links, *self.roles))

    def last_pk(self) -> str | None:
        """Give the key of the last user, None when there is none."""
        return str(parse(self.users[-1:])[0][0]) if self.users else None


@dataclass(frozen=True)
class Asked:
    """Whom queries ask for: a word that `Statements.named` knows, and its parameters."""

    which: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class PageQueries:
    """What is asked for a page of users.

    Attributes:
        texts: SQL by name and whom it asks for, parameters left open; identities and roles are
            missing where there are none.
        integer_keys: Keys travel as numbers.
    """

    texts: Mapping[tuple[str, str], bytes]
    integer_keys: bool

    def key(self, pk: str) -> str | int:
        """Give a key as a parameter."""
        return int(pk) if self.integer_keys else pk

    def after(self, pk: str | None) -> Asked:
        """Ask for those that follow a key, from the first one with None."""
        return Asked("all", {}) if pk is None else Asked("beyond", {"after": self.key(pk)})

    def among(self, pks: Sequence[str]) -> Asked:
        """Ask for these keys."""
        keys = [*map(self.key, pks)]
        return Asked("among_integers" if self.integer_keys else "among", {"pks": keys})


class LineReader:
    """Reads pages; each query is a COPY of its own, so no snapshot lives long."""

    def __init__(self, connection: Connection, queries: PageQueries) -> None:
        self._connection = connection
        self._queries = queries

    def pages(self, *, rows: int) -> Iterator[Lines]:
        """Read all users in key order.

        Raises:
            DependencyError: The database failed; what was given out is complete up to there.
        """
        after: str | None = None
        while True:
            page = self.page_after(after, rows=rows)
            if not page.users:
                return
            yield page
            after = page.last_pk()

    def page_after(self, after: str | None, *, rows: int) -> Lines:
        """Read the users that follow a key, from the first one with None."""
        return self.page(self._queries.after(after), rows=rows)

    def page(self, asked: Asked, *, rows: int) -> Lines:
        """Read users, at most so many, with what belongs to them."""
        with wrapped("reading users"):
            page = Lines(self._ask(USERS, asked, rows=rows), [], [])
            last = page.last_pk()
            return page if last is None else self.with_belongings(page.users, asked, last=last)

    def with_belongings(self, users: list[str], asked: Asked, *, last: str) -> Lines:
        """Read what belongs to the users of a page; `users` are lines of them, any or none."""
        key = self._queries.key(last)
        return Lines(users, self._ask(LINKS, asked, last=key), self._ask(ROLES, asked, last=key))

    def users(self, pks: Sequence[str]) -> list[str]:
        """Read lines of single users, in key order; keys that nobody has are left out."""
        return self._ask(USERS, self._queries.among(pks), rows=len(pks))

    def _ask(self, name: str, asked: Asked, **params: str | int) -> list[str]:
        query = self._queries.texts.get((name, asked.which))
        return copy_lines(self._connection, query, {**params, **asked.params}) if query else []


def _key(line: str) -> str:
    return line.partition("\t")[0]
