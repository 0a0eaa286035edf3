"""A page on its way into Auther: most of it mapped already, the rest as users."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from migrator.auther.mapping.plain import Columns
from migrator.legacy.identity import read_claims

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrator.auther.interface import Mapped
    from migrator.auther.mapping.plain import Sample
    from migrator.core.users import LegacyUser
    from migrator.legacy.devise import DeviseSource
    from migrator.runner.importing.reading import Ready

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """Users that follow each other in the order of their keys.

    Attributes:
        users: Those who still have to be mapped.
        places: Where in the page they are.
        claims: Of all others, as lines for `migrator_identity`.
        columns: All others.
        sample: What these have in common; None only where there are none.
        claimed: The claims are in the table.
    """

    users: tuple[LegacyUser, ...]
    places: Sequence[int]
    claims: bytes = b""
    columns: Columns = field(default_factory=Columns.empty)
    sample: Sample | None = None
    claimed: bool = False

    @classmethod
    def of(cls, users: tuple[LegacyUser, ...]) -> Batch:
        """Take users of whom none is mapped yet."""
        return cls(users, range(len(users)))

    @classmethod
    def made_of(cls, ready: Ready, source: DeviseSource, sample: Sample | None) -> Batch:
        """Take what a reader gave; `source` reads the lines of those who are not mapped."""
        users = source.page_of(ready.others).users
        return cls(users, ready.places, ready.claims, ready.columns, sample, ready.claimed)

    def __len__(self) -> int:
        return len(self.users) + len(self.columns.ids)

    def mapped(self) -> list[Mapped]:
        """Give those who are mapped already as `to_rows` would have."""
        if self.sample is None:
            return []
        claims = read_claims(self.claims)
        pks, prints = [c.pk for c in claims], [c.fingerprint or "" for c in claims]
        return self.sample.mapped(self.columns, pks=pks, prints=prints)

    def pks(self) -> list[str]:
        """Give all keys in order."""
        mapped = [claim.pk for claim in read_claims(self.claims)]
        return self.in_order(mapped, [user.pk for user in self.users])

    def in_order(self, mapped: Iterable[T], others: Iterable[T]) -> list[T]:
        """Put something about each of both kinds into the order of the page."""
        whole = list(mapped)
        for place, one in zip(self.places, others, strict=True):
            whole.insert(place, one)
        return whole
