"""Reads the users of a Rails + Devise application from PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.core.texts import storable
from migrator.core.users import LegacyIdentity, LegacyUser
from migrator.legacy.columns import DeviseColumns, find_columns
from migrator.legacy.connect import Connection, describe_table, open_database, wrapped
from migrator.legacy.copytext import Row, copy_rows
from migrator.legacy.emails import SharedEmails
from migrator.legacy.interface import INTEGER_TYPES, Page, TableShape
from migrator.legacy.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.config.model import LegacySection

EMAIL_PAGE_ROWS = 20_000
Links = dict[str, list[LegacyIdentity]]


@contextmanager
def open_devise(dsn: str, settings: LegacySection) -> Iterator[DeviseSource]:
    """Connect to the application's database, read-only, and look at its tables.

    Args:
        dsn: The application's database.
        settings: `[legacy]` of migrator.toml.

    Raises:
        UsageError: A table or column is missing; the message lists what there is.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    with open_database(dsn) as connection:
        users = describe_table(connection, settings.users_table, key="legacy.users_table")
        columns = find_columns(users, settings.columns)
        yield DeviseSource(connection, columns, _describe_identities(connection, settings))


def _describe_identities(connection: Connection, settings: LegacySection) -> TableShape | None:
    if not settings.identities_table:
        return None
    key = "legacy.identities_table"
    table = describe_table(connection, settings.identities_table, key=key)
    for column in ("user_id", "provider", "uid"):
        if column not in table.columns:
            raise UsageError(
                f"{table} has no column {column}; it has: {', '.join(table.columns)}",
                hint=f'set {key} in migrator.toml, or "" to import no identities',
            )
    return table


class DeviseSource:
    """The users of one Devise model; each page is a COPY of its own, so no snapshot lives long."""

    def __init__(
        self, connection: Connection, columns: DeviseColumns, identities: TableShape | None
    ) -> None:
        self.columns = columns
        self.integer_keys = columns.type_of("id") in INTEGER_TYPES
        self._connection = connection
        self._has_links = identities is not None
        self._statements = Statements(columns, identities)

    def estimated_users(self) -> int:
        """Give the planner's number of rows, or a count where it has none yet."""
        with wrapped("counting users"):
            row = self._connection.execute(
                self._statements.named("estimated_users"), {"users": self._statements.users}
            ).fetchone()
        return (row and int(row[0])) or self.count_users()

    def count_users(self) -> int:
        """Count the rows of the users table."""
        with wrapped("counting users"):
            row = self._connection.execute(self._statements.named("counted_users"), {}).fetchone()
        return int(row[0]) if row else 0

    def pages(self, *, rows: int) -> Iterator[Page]:
        """Read all users in key order."""
        after: str | None = None
        while True:
            page = self.page_after(after, rows=rows)
            if page.last_pk is None:
                return
            yield page
            after = page.last_pk

    def page_after(self, after: str | None, *, rows: int) -> Page:
        """Read the users that follow a key, from the first one with None."""
        with wrapped("reading users"):
            return self._page(after, rows)

    def _page(self, after: str | None, rows: int) -> Page:
        found = self._keyset("users_page", after, rows=rows)
        if not found:
            return Page((), None)
        last = str(found[-1][0])
        links = self._links(after, last) if self._has_links else {}
        return Page(tuple([_user(row, links) for row in found]), last)

    def _keyset(self, name: str, after: str | None, **params: str | int) -> list[Row]:
        query = self._statements.named(name, first=after is None)
        return copy_rows(self._connection, query, {**params, "after": after and self._key(after)})

    def _key(self, pk: str) -> str | int:
        return int(pk) if self.integer_keys else pk

    def _links(self, after: str | None, last: str) -> Links:
        links: Links = {}
        for owner, provider, uid, linked in self._keyset(
            "identities_page", after, last=self._key(last)
        ):
            if provider is not None and uid is not None:
                link = LegacyIdentity(provider, uid, _integer(linked))
                links.setdefault(str(owner), []).append(link)
        return links

    def email_judge(self) -> SharedEmails:
        """Look through the addresses and say who loses a shared one."""
        judge = SharedEmails()
        with wrapped("looking for shared addresses"):
            for pk, email in copy_rows(
                self._connection, self._statements.named("repeated_emails")
            ):
                judge.add_repeated(str(email), first_pk=str(pk))
            for page in self._odd_emails():
                wanted = judge.add_odd([str(email) for _, email in page])
                judge.add_canonical(self._present(wanted))
        return judge

    def _odd_emails(self) -> Iterator[list[Row]]:
        after: str | None = None
        while page := self._keyset("odd_emails", after, rows=EMAIL_PAGE_ROWS):
            yield page
            after = page[-1][0]

    def _present(self, emails: list[str]) -> list[str]:
        wanted = [email for email in emails if storable(email)]
        query = self._statements.named("emails_present")
        return [e for (e,) in self._connection.execute(query, {"emails": wanted})]

    def contested_identities(self) -> frozenset[tuple[str, str]]:
        """Give the (provider, uid) pairs that more than one user claims."""
        query = self._statements.contested_identities(linked=self._has_links)
        if query is None:
            return frozenset()
        with wrapped("looking for shared identities"):
            rows = copy_rows(self._connection, query)
        return frozenset((str(provider), str(uid)) for provider, uid in rows)

    def contested_usernames(self) -> frozenset[str]:
        """Give the user names, in lower case, that more than one user has."""
        if self.columns.column("username") is None:
            return frozenset()
        with wrapped("looking for shared user names"):
            rows = copy_rows(self._connection, self._statements.named("contested_usernames"))
        return frozenset(str(name) for (name,) in rows)


def _user(row: Row, links: Links) -> LegacyUser:
    pk, email, password, name, username, created, updated, confirmed, locked, deleted = row[:10]
    second_factor, provider, uid = row[10:]
    linked = links.get(str(pk), ()) if links else ()
    if provider is not None and uid:
        linked = (*linked, LegacyIdentity(provider, uid, _integer(created)))
    return LegacyUser(
        pk=str(pk),
        email=email,
        password=password,
        name=name,
        username=username,
        created_ms=_integer(created),
        updated_ms=_integer(updated),
        confirmed_ms=_integer(confirmed),
        locked_ms=_integer(locked),
        deleted_ms=_integer(deleted),
        second_factor=second_factor == "t",
        identities=tuple(linked),
    )


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)
