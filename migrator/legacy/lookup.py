"""Finds one person in the application's database by an address, and what our own tables say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.core.sql import ident
from migrator.legacy.connect import compose, wrapped
from migrator.legacy.identity import TABLES

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.connection import Connection

FOUND_AT_MOST = 20
_IDENTITY, _, _SHADOW, _WRITE_BACK = TABLES[:4]


class LinkRow(NamedTuple):
    """A row of `migrator_identity`.

    Attributes:
        fingerprint: SHA-256 of the legacy hash as it was brought over, in hexadecimal.
    """

    auther_id: str
    pk: str
    home: str
    origin: str
    pinned: str | None
    fingerprint: str | None
    last_legacy_at: datetime | None
    last_auther_at: datetime | None


class Lookup:
    """Asks about one person at a time; our tables may be missing."""

    def __init__(self, connection: Connection, columns: DeviseColumns, *, source: str) -> None:
        self._connection = connection
        self._columns = columns
        self._source = source
        self._queries = connection.queries("lookup.sql")

    def keys_of(self, asked: str, wanted: str) -> list[str]:
        """Give the keys of users with an address.

        Args:
            asked: The address as it was given.
            wanted: Its normalised form.

        Returns:
            At most 20, in key order; more than one where rows differ in capitals or blanks.

        Raises:
            DependencyError: The database failed.
        """
        parts = {name: f"u.{ident(self._columns.parts[name])}" for name in ("id", "email")}
        query = compose(
            self._queries["keys_of_address"], users=self._columns.table.relation, **parts
        )
        values = {"asked": asked, "wanted": wanted, "rows": FOUND_AT_MOST}
        with wrapped("looking for an address"):
            return [pk for (pk,) in self._connection.execute(query, values)]

    def link(self, *, pk: str | None, auther_id: str | None) -> LinkRow | None:
        """Find the link by either side's key."""
        row = self._ask("link", _IDENTITY, "identity", pk=pk, auther_id=auther_id)
        return LinkRow(*row) if row else None

    def last_check(self, pk: str) -> str:
        """Say what Auther answered to the last password that the legacy form accepted; '' if unasked."""
        row = self._ask("last_check", _SHADOW, "shadow", pk=pk)
        return str(row[0]) if row else ""

    def unwritten(self, auther_id: str) -> int:
        """Count this user's changes at Auther that are not in the application yet."""
        row = self._ask("unwritten", _WRITE_BACK, "log", auther_id=auther_id)
        return int(row[0]) if row else 0

    def _ask(self, name: str, table: str, part: str, **values: str | None) -> Any:
        schema = self._columns.table.schema
        place = ident(schema, table)
        with wrapped(f"reading {table}"):
            there = self._connection.execute(
                self._queries["table_exists"].encode(),
                {"table": place, "schema": schema, "name": table},
            ).fetchone()
            if not there or not there[0]:
                return None
            query = compose(self._queries[name], **{part: place})
            return self._connection.execute(query, {"source": self._source, **values}).fetchone()
