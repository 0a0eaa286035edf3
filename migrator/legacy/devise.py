"""Reads the users of a Rails + Devise application from PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from migrator.core.errors import UsageError
from migrator.core.texts import storable
from migrator.core.users import LegacyIdentity, LegacyUser
from migrator.legacy.columns import DeviseColumns, find_columns
from migrator.legacy.connect import Connection, describe_table, open_database, wrapped
from migrator.legacy.copytext import Row, copy_rows
from migrator.legacy.emails import SharedEmails
from migrator.legacy.interface import INTEGER_TYPES, Page, TableShape
from migrator.legacy.roles import JoinedRoles, RoleColumn, joined_roles, role_name
from migrator.legacy.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrator.config.model import LegacySection

EMAIL_PAGE_ROWS = 20_000
_FIXED = 13
_BIGINT = 2**63
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
        yield DeviseSource(
            connection,
            columns,
            _describe_identities(connection, settings),
            Roles(describe_roles(connection, settings), settings.roles.names),
        )


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


@dataclass(frozen=True)
class Roles:
    """Where roles are, beside a column of the users table.

    Attributes:
        joined: rolify's tables, None without them.
        names: The names of an enum's integers.
    """

    joined: JoinedRoles | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Asked:
    """Whom a query asks for: a word that `Statements.named` knows, and its parameters."""

    which: str
    params: Mapping[str, Any]


class DeviseSource:
    """The users of one model; each page is a COPY of its own, so no snapshot lives long."""

    def __init__(
        self,
        connection: Connection,
        columns: DeviseColumns,
        identities: TableShape | None,
        roles: Roles | None = None,
    ) -> None:
        self.columns = columns
        self.integer_keys = columns.type_of("id") in INTEGER_TYPES
        self._connection = connection
        self._has_links = identities is not None
        self._roles = roles or Roles()
        self._statements = Statements(columns, identities, self._roles.joined)
        column = columns.column("roles")
        kind, names = columns.type_of("roles"), self._roles.names
        self._role_column = RoleColumn(column, kind, names) if column else None

    def estimated_users(self) -> int:
        """Give the planner's number of rows, or a count where it has none yet."""
        if self.columns.table.query:
            return self.count_users()
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
        asked = _Asked("all" if after is None else "beyond", {"after": after and self._key(after)})
        found = self._ask("users_page", asked, rows=rows)
        return Page(self._made(found, asked), str(found[-1][0]) if found else None)

    def users(self, pks: Sequence[str]) -> tuple[LegacyUser, ...]:
        """Read single users, in key order; keys that nobody has are left out."""
        asked = _Asked("among", {"pks": list(pks)})
        if self.integer_keys:
            numbers = [int(pk) for pk in pks if _is_bigint(pk)]
            asked = _Asked("among_integers", {"pks": numbers})
        with wrapped("reading users"):
            return self._made(self._ask("users_page", asked, rows=len(pks)), asked)

    def _made(self, found: list[Row], asked: _Asked) -> tuple[LegacyUser, ...]:
        if not found:
            return ()
        last = self._key(str(found[-1][0]))
        links = self._links(asked, last) if self._has_links else {}
        users = [_user(row, links) for row in found]
        if self._statements.extras or self._roles.joined:
            users = self._with_extras(users, found, asked, last)
        return tuple(users)

    def _with_extras(
        self, users: list[LegacyUser], found: list[Row], asked: _Asked, last: str | int
    ) -> list[LegacyUser]:
        joined = self._joined_roles(asked, last) if self._roles.joined else {}
        whole = []
        for user, row in zip(users, found, strict=True):
            extra = dict(zip(self._statements.extras, row[_FIXED:], strict=True))
            roles = self._role_column.read(extra.get("roles")) if self._role_column else ()
            roles += joined.get(user.pk, ())
            whole.append(replace(user, salt=extra.get("salt"), roles=roles))
        return whole

    def _joined_roles(self, asked: _Asked, last: str | int) -> dict[str, tuple[str, ...]]:
        roles: dict[str, set[str]] = {}
        for owner, name, kind, thing in self._ask("roles_page", asked, last=last):
            if name:
                roles.setdefault(str(owner), set()).add(role_name(name, kind, thing))
        return {owner: tuple(sorted(names)) for owner, names in roles.items()}

    def _ask(self, name: str, asked: _Asked, **params: str | int) -> list[Row]:
        query = self._statements.named(name, which=asked.which)
        return copy_rows(self._connection, query, {**params, **asked.params})

    def _key(self, pk: str) -> str | int:
        return int(pk) if self.integer_keys else pk

    def _links(self, asked: _Asked, last: str | int) -> Links:
        links: Links = {}
        for owner, provider, uid, linked in self._ask("identities_page", asked, last=last):
            if provider is not None and uid is not None:
                link = LegacyIdentity(provider, uid, _integer(linked))
                links.setdefault(str(owner), []).append(link)
        return links

    def email_judge(self, wanted: Sequence[str] = ()) -> SharedEmails:
        """Look through the addresses and say who loses a shared one."""
        judge = SharedEmails()
        with wrapped("looking for shared addresses"):
            for pk, email in copy_rows(
                self._connection, self._statements.named("repeated_emails")
            ):
                judge.add_repeated(str(email), first_pk=str(pk))
            judge.add_canonical(self._present(wanted))
            for page in self._odd_emails():
                sought = judge.add_odd([str(email) for _, email in page])
                judge.add_canonical(self._present(sought))
        return judge

    def _odd_emails(self) -> Iterator[list[Row]]:
        asked = _Asked("all", {})
        while page := self._ask("odd_emails", asked, rows=EMAIL_PAGE_ROWS):
            yield page
            asked = _Asked("beyond", {"after": self._key(str(page[-1][0]))})

    def _present(self, emails: Sequence[str]) -> list[str]:
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


def _is_bigint(text: str) -> bool:
    try:
        return -_BIGINT <= int(text) < _BIGINT
    except ValueError:
        return False


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)
