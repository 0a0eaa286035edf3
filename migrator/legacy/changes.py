"""What changed in the application's users since a moment, and up to which moment that is known."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.emails import normalise
from migrator.core.sql import ident
from migrator.core.texts import storable
from migrator.legacy.connect import compose, open_database, wrapped
from migrator.legacy.copytext import copy_rows
from migrator.legacy.emails import SharedEmails

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from psycopg import sql

    from migrator.core.plain import PlainUsers
    from migrator.core.users import LegacyUser
    from migrator.legacy.connection import Connection
    from migrator.legacy.devise import DeviseSource

_WITHOUT_ZONE = "timestamp without time zone"
TIMES = frozenset({_WITHOUT_ZONE, "timestamp with time zone"})
_UPDATED = "updated_at"
# Each look may read all users; so many are kept in memory.
_AT_ONCE = 50_000


@dataclass(frozen=True)
class Horizon:
    """Up to which moment everything is known that will ever carry an earlier time.

    Attributes:
        now: By the database's clock.
        until: The start of the oldest transaction that is open, or `now` without any.
        unseen: Sessions whose transactions our role may not see.
    """

    now: datetime
    until: datetime
    unseen: int

    @property
    def behind_s(self) -> float:
        """Give the seconds for which an open transaction holds us back."""
        return max(0.0, (self.now - self.until).total_seconds())


def horizon_of(connection: Connection, *, unseen_for: timedelta) -> Horizon:
    """Look which transactions are open; ask before reading.

    Args:
        connection: To the application's database.
        unseen_for: How long a transaction may have been open that we cannot see: one of another role's,
            or one that was prepared.
    """
    with wrapped("looking for open transactions"):
        seen = connection.activity()
    bounds = [seen.now, seen.oldest or seen.now]
    bounds += [seen.now - unseen_for] if seen.unseen else []
    bounds += [seen.prepared - unseen_for] if seen.prepared is not None else []
    return Horizon(seen.now, min(bounds), seen.unseen)


@contextmanager
def open_changes(dsn: str, source: DeviseSource) -> Iterator[Changes]:
    """Connect to the application's database, read-only.

    Args:
        dsn: The application's database.
        source: The users, opened.

    Raises:
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    with open_database(dsn) as connection:
        yield Changes(connection, source)


class Changes:
    """Finds changed users by `updated_at`; changes that do not move it are found by a full sweep only."""

    def __init__(self, connection: Connection, source: DeviseSource) -> None:
        self._connection = connection
        self._source = source
        self._columns = source.columns
        self._identities = source.identities
        self._queries = connection.queries("changes.sql")
        self._seen = _Seen(source)

    @property
    def can_tell(self) -> bool:
        """Tell whether the users table has a time of the last change."""
        return self._columns.type_of(_UPDATED) in TIMES

    def horizon(self, *, unseen_for: timedelta) -> Horizon:
        """Look which transactions are open, as `horizon_of` does."""
        return horizon_of(self._connection, unseen_for=unseen_for)

    def is_indexed(self) -> bool:
        """Tell whether an index serves the search by `updated_at`; never for an operator's SELECT."""
        table = self._columns.table
        place = {"table": table.relation, "schema": table.schema, "name": table.name}
        place["column"] = self._columns.parts.get(_UPDATED, "")
        if table.query:
            return False
        with wrapped("reading the catalog"):
            row = self._connection.execute(self._queries["is_indexed"].encode(), place).fetchone()
        return bool(row and row[0])

    def parted(
        self, since: datetime, *, rows: int
    ) -> Iterator[tuple[PlainUsers, tuple[LegacyUser, ...]]]:
        """Give users that changed since then, in key order, so many at a time, as `DeviseSource.parted` does.

        Where the database gives columns, one query reads them with the users whom it finds.
        """
        after: str | None = None
        while True:
            params = {"since": since, "after": after}
            found = self._source.columns_of(self._changed(after), params, rows=_AT_ONCE)
            if found is None:
                pks = self._keys(since, after)
                yield from (
                    self._source.parted(pks[at : at + rows]) for at in range(0, len(pks), rows)
                )
            else:
                pks = found.pks
                yield from map(self._source.parted_of, found.pages(rows))
            if len(pks) < _AT_ONCE:
                return
            after = pks[-1]

    def _keys(self, since: datetime, after: str | None) -> list[str]:
        query = compose(
            self._queries["changed_keys"],
            id=ident(self._columns.parts["id"]),
            users=self._columns.table.relation,
            changed=self._changed(after),
        )
        params = {"since": since, "rows": _AT_ONCE, "after": after}
        with wrapped("looking for changed users"):
            return [str(pk) for (pk,) in copy_rows(self._connection, query, params)]

    def _changed(self, after: str | None) -> sql.Composed:
        """Give what is true of changed users, those behind a key."""
        id_, link_time = ident(self._columns.parts["id"]), self._link_time()
        parts: dict[str, str | sql.Composed] = {
            "id": id_,
            "users": self._columns.table.relation,
            "updated_at": ident(self._columns.parts[_UPDATED]),
            "since": self._since(self._columns.type_of(_UPDATED)),
        }
        if link_time and self._identities:
            parts |= {
                "identities": self._identities.relation,
                "owner": ident("user_id"),
                "linked_at": ident(link_time),
                "linked_since": self._since(self._identities.columns[link_time]),
            }
        name = "changed_or_linked" if link_time else "changed"
        changed = compose(self._queries[name], **parts)
        return (
            changed if after is None else compose(self._queries["beyond"], changed=changed, id=id_)
        )

    def _link_time(self) -> str:
        """Name what tells new identities; without times of their own they are left to the sweep."""
        columns = self._identities.columns if self._identities else {}
        return next((c for c in (_UPDATED, "created_at") if columns.get(c) in TIMES), "")

    def _since(self, kind: str) -> sql.Composed:
        return compose(self._queries["since_without_zone" if kind == _WITHOUT_ZONE else "since"])

    def among(self, users: Sequence[LegacyUser], *, plain: Sequence[str] = ()) -> AmongUsers:
        """Give the source as far as it concerns what these users share with others.

        Args:
            users: Whom it concerns.
            plain: The addresses of more users, who have nothing else that can be shared.
        """
        return AmongUsers(self._source, self._connection, self._seen, users, plain)


class _Seen:
    """What looking through all users said, once for as long as a pass lasts."""

    def __init__(self, source: DeviseSource) -> None:
        self._source = source
        self._judges: dict[tuple[str, ...], SharedEmails] = {}
        self._identities: frozenset[tuple[str, str]] | None = None
        self._has_unique_emails: bool | None = None

    def judge(self, wanted: Sequence[str]) -> SharedEmails:
        key = tuple(wanted)
        if key not in self._judges:
            self._judges[key] = self._source.email_judge(wanted)
        return self._judges[key]

    def identities(self) -> frozenset[tuple[str, str]]:
        if self._identities is None:
            self._identities = self._source.contested_identities()
        return self._identities

    def has_unique_emails(self) -> bool:
        if self._has_unique_emails is None:
            self._has_unique_emails = self._source.has_unique_emails()
        return self._has_unique_emails


class AmongUsers:
    """Says what some users share with others by asking about them, not by looking through all."""

    def __init__(
        self,
        source: DeviseSource,
        connection: Connection,
        seen: _Seen,
        users: Sequence[LegacyUser],
        plain: Sequence[str],
    ) -> None:
        self.columns = source.columns
        self.integer_keys = source.integer_keys
        self._source = source
        self._connection = connection
        self._seen = seen
        self._about = users
        self._plain = plain
        self._queries = connection.queries("changes.sql")

    def email_judge(self, wanted: Sequence[str] = ()) -> SharedEmails:
        """Look at exact repetitions only, unless an address is not plainly in normal form."""
        emails = [*self._plain, *(user.email for user in self._about if user.email)]
        # A plain address may be somebody else's too, in capitals.
        may_be_shared = self._source.capitals_count and emails
        if (
            wanted
            or may_be_shared
            or any(normalise(email) != email or not email.isascii() for email in emails)
        ):
            return self._seen.judge(wanted)
        judge = SharedEmails()
        if self._seen.has_unique_emails():
            return judge
        asked = {"emails": [email for email in emails if storable(email)]}
        judge.add_repeated(
            [(pk, email) for pk, email in self._ask("repeated_among", asked, "email")]
        )
        return judge

    def users(self, pks: Sequence[str]) -> tuple[LegacyUser, ...]:
        """Read single users, whoever they are."""
        return self._source.users(pks)

    def contested_identities(self) -> frozenset[tuple[str, str]]:
        """Look through all, where one of these users has an identity at a provider."""
        has_any = any(user.identities for user in self._about)
        return self._seen.identities() if has_any else frozenset()

    def contested_usernames(self) -> frozenset[str]:
        """Look at the user names of these users only."""
        names = [u.username.lower() for u in self._about if u.username and storable(u.username)]
        if not names:
            return frozenset()
        return frozenset(
            name for (name,) in self._ask("usernames_among", {"names": names}, "username")
        )

    def _ask(self, name: str, values: dict[str, list[str]], part: str) -> list[tuple[str, ...]]:
        parts = self.columns.parts
        named = {"id": ident(parts["id"]), part: ident(parts[part])}
        query = compose(self._queries[name], users=self.columns.table.relation, **named)
        with wrapped("looking for what users share"):
            return self._connection.execute(query, values).fetchall()
