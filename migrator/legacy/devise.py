"""Reads the users of a Rails + Devise application from the database it is in."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from migrator.core.emails import normalise
from migrator.core.errors import UsageError
from migrator.core.texts import storable
from migrator.core.users import LegacyIdentity, LegacyUser
from migrator.legacy.columns import DeviseColumns, find_columns
from migrator.legacy.connect import describe_table, open_database, wrapped
from migrator.legacy.copybinary import copy_row
from migrator.legacy.copytext import Row, copy_rows, parse
from migrator.legacy.emails import SharedEmails
from migrator.legacy.interface import INTEGER_TYPES, Page, TableShape
from migrator.legacy.new_user import NewRow, devise_row
from migrator.legacy.parted import PartedReader
from migrator.legacy.plain import nobody, read_columns
from migrator.legacy.reading import (
    COLUMNS,
    LINKS,
    ROLES,
    USERS,
    WHICH,
    Asked,
    LineReader,
    Lines,
    PageQueries,
)
from migrator.legacy.roles import JoinedRoles, RoleColumn, joined_roles, role_name
from migrator.legacy.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg import sql

    from migrator.config.model import LegacySection
    from migrator.core.plain import PlainUsers
    from migrator.legacy.connection import Connection
    from migrator.legacy.parted import Parted

EMAIL_PAGE_ROWS = 20_000
_FIXED = 13
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
        wanted = dict(settings.columns)
        if settings.roles.column:
            wanted["roles"] = settings.roles.column
        columns = find_columns(users, wanted)
        identities = describe_identities(connection, settings)
        roles = Roles(describe_roles(connection, settings), settings.roles.names)
        connection.read_any_bytes()
        yield DeviseSource(connection, columns, identities, roles, devise_row(columns))


def describe_roles(connection: Connection, settings: LegacySection) -> JoinedRoles | None:
    """Look at rolify's tables, None where none are configured.

    Raises:
        UsageError: A table or a column is missing.
    """
    roles = settings.roles
    if not roles.join_table:
        return None
    join = describe_table(connection, roles.join_table, key="legacy.roles.join_table")
    return joined_roles(describe_table(connection, roles.table, key="legacy.roles.table"), join)


def describe_identities(connection: Connection, settings: LegacySection) -> TableShape | None:
    """Look at the table of sign-ins at providers, None where none is configured.

    Raises:
        UsageError: The table or a column is missing.
    """
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


@dataclass(frozen=True)
class Roles:
    """Where roles are, beside a column of the users table.

    Attributes:
        joined: rolify's tables, None without them.
        names: The names of an enum's integers.
    """

    joined: JoinedRoles | None = None
    names: Mapping[str, str] = field(default_factory=dict)


class DeviseSource:
    """The users of one model; each page is a COPY of its own, so no snapshot lives long.

    Attributes:
        columns: The users table.
        identities: Sign-ins at providers, None where none are read.
        integer_keys: Whether primary keys are integers.
        queries: What is asked for a page, so that another process can read it too.
        new_row: What a row for a new user of Auther says, None where the rows are no application's own.
        capitals_count: The login form tells addresses apart that differ in capitals only.
    """

    capitals_count = False

    def __init__(
        self,
        connection: Connection,
        columns: DeviseColumns,
        identities: TableShape | None,
        roles: Roles | None = None,
        new_row: NewRow | None = None,
    ) -> None:
        self.columns = columns
        self.new_row = new_row
        self.identities = identities
        self.integer_keys = columns.type_of("id") in INTEGER_TYPES
        self._connection = connection
        self._roles = roles or Roles()
        queries = connection.queries("devise.sql")
        self._statements = Statements(queries, columns, identities, self._roles.joined)
        column = columns.column("roles")
        kind, names = columns.type_of("roles"), self._roles.names
        self._role_column = RoleColumn(column, kind, names) if column else None
        self.queries = self._page_queries()
        self._reader = LineReader(connection, self.queries)
        self._parted = PartedReader(connection, self.queries, apart=frozenset())

    def _page_queries(self) -> PageQueries:
        has_links, has_roles = self.identities is not None, self._roles.joined is not None
        has_columns = self._connection.gives_columns and self._statements.gives_columns
        names = [USERS, *[LINKS][:has_links], *[ROLES][:has_roles], *[COLUMNS][:has_columns]]
        texts = {
            (name, which): self._statements.named(name, which=which).as_string(None).encode()
            for name in names
            for which in WHICH
        }
        return PageQueries(texts, self.integer_keys)

    def estimated_users(self) -> int:
        """Give the planner's number of rows, or a count where it has none yet."""
        if self.columns.table.query:
            return self.count_users()
        with wrapped("counting users"):
            row = self._connection.execute(
                self._statements.named("estimated_users"), self._place()
            ).fetchone()
        return (row and int(row[0])) or self.count_users()

    def _place(self) -> dict[str, str]:
        table = self.columns.table
        return {"users": self._statements.users, "schema": table.schema, "table": table.name}

    def count_users(self) -> int:
        """Count the rows of the users table."""
        with wrapped("counting users"):
            row = self._connection.execute(self._statements.named("counted_users"), {}).fetchone()
        return int(row[0]) if row else 0

    def pages(self, *, rows: int) -> Iterator[Page]:
        """Read all users in key order."""
        for lines in self._reader.pages(rows=rows):
            yield self.page_of(lines)

    def page_after(self, after: str | None, *, rows: int) -> Page:
        """Read the users that follow a key, from the first one with None."""
        return self.page_of(self._reader.page_after(after, rows=rows))

    def users(self, pks: Sequence[str]) -> tuple[LegacyUser, ...]:
        """Read single users, in key order; keys that nobody has are left out."""
        pks = self._keys(pks)
        return self.page_of(self._reader.page(self.queries.among(pks), rows=len(pks))).users

    def parted(self, pks: Sequence[str]) -> tuple[PlainUsers, tuple[LegacyUser, ...]]:
        """Read single users: those with nothing special about them as columns, all others as users."""
        return self._told_apart(self._parted.among(self._keys(pks)))

    def columns_of(
        self, whom: sql.Composed, params: Mapping[str, Any], *, rows: int
    ) -> PlainUsers | None:
        """Read the columns of those of whom something is true, in key order, for `parted_of`.

        Args:
            whom: What is true of them, in SQL, with `u` for a user's row.
            params: Of `whom`.
            rows: The most that are read.

        Returns:
            None where only `parted` can read them.
        """
        if (COLUMNS, "all") not in self.queries.texts:
            return None
        query = self._statements.about(COLUMNS, whom)
        with wrapped("reading users"):
            values = copy_row(self._connection, query, {"rows": rows, **params})
        return read_columns(values) if any(values) else nobody()

    def parted_of(self, columns: PlainUsers) -> tuple[PlainUsers, tuple[LegacyUser, ...]]:
        """Tell apart, as `parted` does, users whose columns were read."""
        return self._told_apart(self._parted.among_columns(columns))

    def _told_apart(self, page: Parted | None) -> tuple[PlainUsers, tuple[LegacyUser, ...]]:
        return (nobody(), ()) if page is None else (page.plain, self.page_of(page.others).users)

    def _keys(self, pks: Sequence[str]) -> Sequence[str]:
        if not self.integer_keys:
            return pks
        return [pk for pk in pks if _is_key(pk, self._connection.largest_key)]

    def page_of(self, lines: Lines) -> Page:
        """Make users out of lines that came from this source's queries."""
        rows = parse(lines.users)
        links = _links(lines.links)
        users = [_user(row, links) for row in rows]
        if self._statements.extras or self._roles.joined:
            users = self._with_extras(users, rows, _joined_roles(lines.roles))
        return Page(tuple(users), users[-1].pk if users else None)

    def _with_extras(
        self, users: list[LegacyUser], rows: list[Row], joined: Mapping[str, tuple[str, ...]]
    ) -> list[LegacyUser]:
        whole = []
        for user, row in zip(users, rows, strict=True):
            extra = dict(zip(self._statements.extras, row[_FIXED:], strict=True))
            roles = self._role_column.read(extra.get("roles")) if self._role_column else ()
            roles += joined.get(user.pk, ())
            disabled = extra.get("disabled") is not None
            whole.append(replace(user, salt=extra.get("salt"), roles=roles, disabled=disabled))
        return whole

    def email_judge(self, wanted: Sequence[str] = ()) -> SharedEmails:
        """Look through the addresses and say who loses a shared one."""
        judge = self._new_judge()
        with wrapped("looking for shared addresses"):
            judge.add_repeated([(str(pk), str(email)) for pk, email in self._repeated_emails()])
            judge.add_canonical(self._present(wanted))
            for page in self._odd_emails():
                sought = judge.add_odd([str(email) for _, email in page])
                judge.add_canonical(self._present(sought))
        return judge

    def looked_up(self, typed: str) -> str:
        """Give the address that the login form looks for when somebody types this one."""
        return normalise(typed)

    def _new_judge(self) -> SharedEmails:
        return SharedEmails()

    def has_unique_emails(self) -> bool:
        """Tell that the database itself lets no two rows hold one address alike."""
        if self.columns.table.query:
            return False
        params = {**self._place(), "email": self.columns.column("email")}
        query = self._statements.named("has_unique_emails")
        with wrapped("reading the catalog"):
            return self._connection.execute(query, params).fetchall() == [(True,)]

    def _repeated_emails(self) -> list[Row]:
        if self.has_unique_emails():
            return []
        return copy_rows(self._connection, self._statements.named("repeated_emails"))

    def _odd_emails(self) -> Iterator[list[Row]]:
        asked = Asked("all", {})
        while page := self._odd_page(asked):
            yield page
            asked = Asked("beyond", {"after": self.queries.key(str(page[-1][0]))})

    def _odd_page(self, asked: Asked) -> list[Row]:
        query = self._statements.named("odd_emails", which=asked.which)
        return copy_rows(self._connection, query, {"rows": EMAIL_PAGE_ROWS, **asked.params})

    def _present(self, emails: Sequence[str]) -> list[str]:
        wanted = [email for email in emails if storable(email)]
        query = self._statements.named("emails_present")
        return [str(e) for (e,) in copy_rows(self._connection, query, {"emails": wanted})]

    def contested_identities(self) -> frozenset[tuple[str, str]]:
        """Give the (provider, uid) pairs that more than one user claims."""
        query = self._statements.contested_identities(linked=self.identities is not None)
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


def _links(lines: Sequence[str]) -> Links:
    links: Links = {}
    for owner, provider, uid, linked in parse(lines):
        if provider is not None and uid is not None:
            link = LegacyIdentity(provider, uid, _integer(linked))
            links.setdefault(str(owner), []).append(link)
    return links


def _joined_roles(lines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    roles: dict[str, set[str]] = {}
    for owner, name, kind, thing in parse(lines):
        if name:
            roles.setdefault(str(owner), set()).add(role_name(name, kind, thing))
    return {owner: tuple(sorted(names)) for owner, names in roles.items()}


def _user(row: Row, links: Links) -> LegacyUser:
    pk, email, password, name, username, created, updated, confirmed, locked, deleted = row[:10]
    second_factor, provider, uid = row[10:_FIXED]
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


def _is_key(text: str, largest: int) -> bool:
    try:
        return -largest <= int(text) <= largest
    except ValueError:
        return False


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)
