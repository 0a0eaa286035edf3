"""What a legacy source gives, whatever system it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.core.users import LegacyUser

INTEGER_TYPES = frozenset({"smallint", "integer", "bigint"})


@dataclass(frozen=True)
class TableShape:
    """A table as it is in the database.

    Attributes:
        columns: Each column's type as PostgreSQL writes it (`bigint`, `character varying`), by
            name, in the table's order; lengths and precisions are left out.
        primary_key: The columns of the primary key, empty without one.
    """

    schema: str
    name: str
    columns: Mapping[str, str]
    primary_key: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


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

    def email_judge(self) -> EmailJudge:
        """Look through all addresses once and say who loses a shared one."""
        ...
