"""What a legacy source gives, whatever system it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrator.core.users import LegacyUser

INTEGER_TYPES = frozenset({"smallint", "integer", "bigint"})


@dataclass(frozen=True)
class TableShape:
    """A table as it is in the database.

    Attributes:
        columns: Each column's type as PostgreSQL writes it (`bigint`, `character varying`), by
            name, in the table's order; lengths and precisions are left out.
        primary_key: The columns of the primary key, empty without one.
        query: The operator's SELECT that stands in for a table, empty for a real one; then
            `schema` is where our own tables go and `name` only names it.
    """

    schema: str
    name: str
    columns: Mapping[str, str]
    primary_key: tuple[str, ...] = ()
    query: str = ""

    def __str__(self) -> str:
        return self.name if self.query else f"{self.schema}.{self.name}"

    @property
    def relation(self) -> str:
        """What stands behind FROM."""
        # The query's last line may be a comment.
        return f"(\n{self.query}\n)" if self.query else ident(self.schema, self.name)


@dataclass(frozen=True)
class Page:
    """Users that follow each other in the order of their keys.

    Attributes:
        users: In key order; fewer than asked for only on the last page.
        last_pk: Key of the last one, None when the page is empty.
    """

    users: tuple[LegacyUser, ...]
    last_pk: str | None


class EmailJudge(Protocol):
    """Knows which rows share one normalised address."""

    @property
    def has_repeated(self) -> bool:
        """Whether several rows hold one address alike."""
        ...

    def is_claimed(self, address: str) -> bool:
        """Tell that some row has this address in some spelling.

        Asked only about addresses that `email_judge` was given.
        """
        ...

    def resembles(self, address: str) -> bool:
        """Tell that another row's address differs from this normalised one in its form only."""
        ...

    def loses(self, pk: str, email: str, wanted: str) -> bool:
        """Tell that this row may not have `wanted`, its normalised address: another claims it too."""
        ...


class LegacySource(Protocol):
    """Users of an application, read page by page and never changed."""

    @property
    def integer_keys(self) -> bool:
        """Whether primary keys are integers."""
        ...

    def estimated_users(self) -> int:
        """Give about how many users there are, without counting them."""
        ...

    def pages(self, *, rows: int) -> Iterator[Page]:
        """Read all users in key order, each page in a statement of its own.

        Args:
            rows: Users per page, at least 1.

        Raises:
            DependencyError: The database failed; what was given out is complete up to there.
        """
        ...

    def page_after(self, after: str | None, *, rows: int) -> Page:
        """Read the users that follow a key, from the first one with None."""
        ...

    def contested_identities(self) -> frozenset[tuple[str, str]]:
        """Give the (provider, uid) pairs that more than one user claims."""
        ...

    def contested_usernames(self) -> frozenset[str]:
        """Give the user names, in lower case, that more than one user has."""
        ...

    def users(self, pks: Sequence[str]) -> tuple[LegacyUser, ...]:
        """Read single users; keys that nobody has are left out."""
        ...

    def email_judge(self, wanted: Sequence[str] = ()) -> EmailJudge:
        """Look through all addresses once and say who loses a shared one.

        Args:
            wanted: Normalised addresses to look for beside those of the rows.
        """
        ...
