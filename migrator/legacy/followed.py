"""What `migrator_identity` says about the users whom the sync follows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.core.sql import ident
from migrator.legacy.connect import compose, wrapped
from migrator.legacy.identity import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.connection import Connection


class Record(NamedTuple):
    """A row that is there.

    Attributes:
        pinned: Why the user stays on the legacy path, None when not pinned.
        fingerprint: SHA-256 in hexadecimal of the legacy hash that Auther knows, None without one.
    """

    pk: str
    auther_id: str
    home: str
    origin: str
    pinned: str | None
    fingerprint: str | None

    @property
    def is_followed(self) -> bool:
        """Tell that the legacy side decides about this user."""
        return self.home == "legacy" and self.origin == "import"


class FollowedTable:
    """Reads and writes the rows of one source; each call is one transaction.

    Rows of users who moved to Auther, or whom a login linked, are never written.
    """

    def __init__(self, connection: Connection, columns: DeviseColumns, *, source: str) -> None:
        self._connection = connection
        self._source = source
        users = columns.table
        self._parts = {
            "identity": ident(users.schema, TABLES[0]),
            "users": users.relation,
            "id": ident(columns.parts["id"]),
            "key_type": columns.type_of("id"),
        }
        self._queries = connection.queries("followed.sql")

    def records(self, pks: Sequence[str]) -> dict[str, Record]:
        """Look users up by legacy key."""
        return {row[0]: Record(*row) for row in self._ask("records", pks=list(pks))}

    def vanished(self, *, rows: int) -> Iterator[list[Record]]:
        """Give those whose legacy row is gone, in key order, so many at a time."""
        after = ""
        while page := self._ask("vanished", after=after, rows=rows):
            yield [Record(*row) for row in page]
            after = page[-1][0]

    def record(self, records: Sequence[Record]) -> None:
        """Write down what Auther has now: pins and fingerprints."""
        if records:
            self._tell("record", records=json.dumps([r._asdict() for r in records]))

    def forget(self, auther_ids: Sequence[str]) -> None:
        """Drop the rows of users who are gone on both sides."""
        if auther_ids:
            self._tell("forget", ids=list(auther_ids))

    def count(self, *, at_most: int | None = None) -> int:
        """Count the users that were imported; to `at_most` it takes no longer than so many need."""
        if at_most is None:
            return int(self._ask("count")[0][0])
        return int(self._ask("count_some", at_most=at_most)[0][0])

    def _ask(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        query = compose(self._queries[name], **self._parts)
        with wrapped("reading migrator_identity"):
            return self._connection.execute(query, {"source": self._source, **params}).fetchall()

    def _tell(self, name: str, **params: Any) -> None:
        query = compose(self._queries[name], **self._parts)
        with wrapped("writing migrator_identity"):
            self._connection.execute(query, {"source": self._source, **params})
