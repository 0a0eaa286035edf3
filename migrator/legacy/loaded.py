"""Users out of a file, in tables of our own beside the application's; read like any other users."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.core.errors import UsageError
from migrator.core.queries import load
from migrator.core.sql import ident, qualified
from migrator.legacy.connect import compose, describe_table, open_postgres, wrapped
from migrator.legacy.devise import DeviseSource, Roles
from migrator.legacy.file_user import TYPES
from migrator.legacy.query import REQUIRED, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrator.config.model import LegacySection
    from migrator.legacy.file_user import FileUser
    from migrator.legacy.postgres import PostgresConnection

# The only tables that are ever dropped here, so that no setting can name the application's own.
USERS, IDENTITIES = "migrator_loaded", "migrator_loaded_identities"
_BIGINT = re.compile(r"-?[1-9][0-9]{0,17}|0")
_SHOWN = 3
_HINT = "migrator import load FILE --format …"


@dataclass
class Seen:
    """What the users of a file have in common.

    Attributes:
        columns: Every column that any of them has.
        integer_keys: All ids are integers as PostgreSQL writes them.
    """

    users: int = 0
    identities: int = 0
    columns: set[str] = field(default_factory=set)
    integer_keys: bool = True

    def add(self, user: FileUser) -> None:
        """Count one."""
        self.users += 1
        self.identities += len(user.identities)
        self.columns.update(user.values)
        self.integer_keys = bool(self.integer_keys and _BIGINT.fullmatch(user.values["id"]))

    def check(self) -> None:
        """Let a file pass that can be imported.

        Raises:
            UsageError: It has no users, lacks a column, or says twice who is verified.
        """
        missing = [name for name in REQUIRED if name not in self.columns]
        if not self.users:
            raise UsageError("the file holds no users", hint="look at its first lines")
        if missing:
            raise UsageError(f"no user has {', '.join(missing)}", hint="name the columns so")
        if {"verified", "confirmed_at"} <= self.columns:
            raise UsageError("the file gives both verified and confirmed_at", hint="keep one")


@contextmanager
def open_loaded(dsn: str, settings: LegacySection) -> Iterator[DeviseSource]:
    """Connect, read-only, and look at what was loaded.

    Raises:
        UsageError: Nothing was loaded, or `legacy.users_table` names a table that is not ours.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    schema = schema_of(settings)
    with open_postgres(dsn, doing='legacy.kind = "loaded"') as connection:
        if not LoadedTables(connection, schema).exist():
            raise UsageError("no file was loaded yet", hint=_HINT)
        users = describe_table(connection, f"{schema}.{USERS}", key="legacy.users_table")
        links = describe_table(connection, f"{schema}.{IDENTITIES}", key="legacy.users_table")
        connection.read_any_bytes()
        yield DeviseSource(connection, columns_of(users), links, Roles())


def schema_of(settings: LegacySection) -> str:
    """Give the schema of our tables.

    Raises:
        UsageError: `legacy.users_table` names another table.
    """
    schema, name = qualified(settings.users_table)
    if name != USERS:
        raise UsageError(
            f'kind = "loaded" reads {USERS}, not {settings.users_table}',
            hint=f'leave users_table out, or set it to "<schema>.{USERS}"',
        )
    return schema


class LoadedTables:
    """Our two tables; each call is one transaction."""

    def __init__(self, connection: PostgresConnection, schema: str) -> None:
        self._connection = connection
        self._queries = load("migrator.legacy", "loaded.sql")
        self._parts = {"users": ident(schema, USERS), "identities": ident(schema, IDENTITIES)}

    def exist(self) -> bool:
        """Tell whether a file was loaded."""
        query = self._queries["exists"].encode()
        row = self._connection.execute(query, {"table": self._parts["users"]}).fetchone()
        return bool(row and row[0])

    def replace(self, users: Iterable[FileUser]) -> Seen:
        """Put these users in place of those that are there; if anything fails, those stay.

        Raises:
            UsageError: The file cannot be imported, or an id occurs twice.
            DependencyError: The database failed, or our role may not create tables.
        """
        seen = Seen()
        with wrapped("loading users"), self._connection.transaction():
            self._run("drop")
            self._run("create", columns=", ".join(f"{ident(c)} {t}" for c, t in TYPES.items()))
            self._run("create_identities")
            self._run("close")
            links = self._copy(users, seen)
            self._copy_links(links)
            seen.check()
            self._fit(seen)
        return seen

    def remove(self) -> None:
        """Drop the tables, with all hashes in them."""
        with wrapped("removing what was loaded"):
            self._run("drop")

    def _copy(self, users: Iterable[FileUser], seen: Seen) -> list[tuple[str, str, str]]:
        query = self._composed("copy", columns=", ".join(map(ident, TYPES)))
        links = []
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for user in users:
                seen.add(user)
                copy.write_row([user.values.get(name) for name in TYPES])
                links += [(user.values["id"], *link) for link in user.identities]
        return links

    def _copy_links(self, links: list[tuple[str, str, str]]) -> None:
        query = self._composed("copy_identities")
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for link in links:
                copy.write_row(link)

    def _fit(self, seen: Seen) -> None:
        query = self._composed("repeated")
        found = self._connection.execute(query, {"rows": _SHOWN}).fetchall()
        if found:
            ids = ", ".join(pk for (pk,) in found)
            raise UsageError(f"these ids occur more than once: {ids}", hint="mend the file")
        for column in TYPES:
            if column not in seen.columns:
                self._run("drop_column", column=ident(column))
        if seen.integer_keys:
            self._run("integer_keys")
            self._run("integer_references")
        for name in ("key", "index", "analyze"):
            self._run(name)

    def _run(self, name: str, **parts: str) -> None:
        self._connection.execute(self._composed(name, **parts), {})

    def _composed(self, name: str, **parts: str) -> Any:
        return compose(self._queries[name], **self._parts, **parts)
