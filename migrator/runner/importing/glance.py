"""Clears plain users by a look at whole rows; who is not cleared has to be compared field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.ways.bare import BareReader
from migrator.legacy.identity import keys_of_plain
from migrator.runner.importing.alike import unlike

if TYPE_CHECKING:
    from migrator.auther.interface import Target
    from migrator.legacy.identity import IdentityTable
    from migrator.runner.importing.batch import Batch


class Looked(NamedTuple):
    """A page with the lines that `migrator_identity` holds of it."""

    batch: Batch
    held: frozenset[str]


class Glance:
    """Reads both sides of a page."""

    def __init__(self, target: Target, identities: IdentityTable) -> None:
        self._bare = BareReader(target)
        self._identities = identities

    def look(self, batch: Batch) -> Looked:
        """Read what is known of a page; this may run while the page before is compared.

        Raises:
            DependencyError: The application's database failed.
        """
        pks = [*keys_of_plain(batch.claims), *(user.pk for user in batch.users)]
        return Looked(batch, frozenset(self._identities.lines(pks)))

    def suspects(self, looked: Looked) -> list[int]:
        """Give the places, among the plain users, of those who are not exactly as they have to be.

        Raises:
            DependencyError: Auther failed.
        """
        ids = looked.batch.columns.ids
        return unlike(looked.batch, looked.held, self._bare.read(ids)) if ids else []
