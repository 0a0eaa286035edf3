"""Which users share one address where the login form takes addresses as they are stored.

There `Bob@x.org` and `bob@x.org` both sign in today, each of them to an account of their own, and
Auther has room for one. Whoever got it could be signed in by what the other one types, so nobody
keeps it unless a person decides. A row that the login form does not find, for it was deleted or has
blanks at an end, takes nothing from one that it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from migrator.core.emails import normalise
from migrator.legacy.emails import SharedEmails, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Spelling(NamedTuple):
    """A row with its address; `found` tells that the login form finds it."""

    pk: str
    email: str
    found: bool


_TABLE = (
    "CREATE TABLE spelling (address BLOB, pk TEXT, found INTEGER NOT NULL,"
    " PRIMARY KEY (address, pk)) WITHOUT ROWID"
)
_ADD = "INSERT INTO spelling (address, pk, found) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_COUNT = (
    "SELECT count(*), coalesce(sum(found), 0), max(pk) FILTER (WHERE found) FROM spelling"
    " WHERE address = ?"
)
_ANY_SHARED = "SELECT EXISTS (SELECT 1 FROM spelling GROUP BY address HAVING count(*) > 1)"


class ExactEmails(SharedEmails):
    """Claims on addresses, each by the rows that come to it once it is normalised.

    Args:
        spelled: Gives the rows that hold one of these addresses exactly.
    """

    def __init__(self, spelled: Callable[[Sequence[str]], Iterable[Spelling]]) -> None:
        super().__init__()
        self._spelled = spelled
        self._claims.execute(_TABLE)

    def add_odd(self, emails: Sequence[str]) -> list[str]:
        """Take in rows that may not be in normal form, and those that are in theirs."""
        sought = super().add_odd(emails)
        self._add_rows([*emails, *sought])
        return sought

    def add_repeated(self, repeated: Sequence[tuple[str, str]]) -> None:
        """Take in addresses that several rows hold alike; nobody knows which one is found."""
        super().add_repeated(repeated)
        self._add_rows([email for _, email in repeated])

    def _add_rows(self, emails: Sequence[str]) -> None:
        rows = self._spelled(emails) if emails else ()
        self._claims.executemany(
            _ADD, ((digest(normalise(row.email)), row.pk, row.found) for row in rows)
        )

    @property
    def has_repeated(self) -> bool:
        """Whether several rows come to one address, so that even a plain one may be lost."""
        return bool(self._claims.execute(_ANY_SHARED).fetchone()[0])

    def loses(self, pk: str, email: str, wanted: str) -> bool:
        """Tell that this row may not have `wanted`, its normalised address."""
        rows, found, holder = self._claims.execute(_COUNT, (digest(wanted),)).fetchone()
        if rows == 0:
            # A variant that nobody looked at was changed while the import ran.
            return wanted != email
        return bool(holder != pk if found == 1 else rows > 1)
