"""The table in the application's database that links users on both sides."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import errors

from migrator.core.errors import DependencyError
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.connect import compose, wrapped
from migrator.legacy.copytext import copy_lines, dump, parse
from migrator.legacy.new_user import FUNCTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrator.legacy.connection import Connection
    from migrator.legacy.interface import TableShape

TABLES = (
    "migrator_identity",
    "migrator_instance",
    "migrator_shadow",
    "migrator_write_back",
    "migrator_tombstone",
    "migrator_token",
    "migrator_session",
    "migrator_process",
)


class Claim(NamedTuple):
    """A user of ours at Auther, written down before the user is.

    Attributes:
        pinned: Why the user stays on the legacy path, None when not pinned.
        fingerprint: SHA-256 of the legacy hash in hexadecimal, None without one.
    """

    pk: str
    auther_id: str
    pinned: str | None
    fingerprint: str | None


def plain_claims(
    source: str, pks: Sequence[str], auther_ids: Sequence[str], prints: Sequence[str]
) -> bytes:
    """Write claims of users who are not pinned, in texts that need no escape, as lines of COPY."""
    head = dump([[source]]).decode().rstrip("\n")
    lines = [
        f"{head}\t{pk}\t{auther_id}\t\\N\t{fingerprint}\n"
        for pk, auther_id, fingerprint in zip(pks, auther_ids, prints, strict=True)
    ]
    return "".join(lines).encode()


def read_claims(plain: bytes) -> list[Claim]:
    """Read what `plain_claims` wrote."""
    return [Claim(*row[1:]) for row in parse(plain.decode().split("\n")[:-1])]  # type: ignore[arg-type]


def lines_of_plain(plain: bytes) -> list[str]:
    """Give what `IdentityTable.lines` gives of rows from `plain_claims` that nobody touched."""
    return plain.decode().replace("\n", "\tlegacy\timport\n").split("\n")[:-1]


def keys_of_plain(plain: bytes) -> list[str]:
    """Give the legacy keys in what `plain_claims` wrote, where none needed an escape."""
    return [line.split("\t", 2)[1] for line in plain.decode().split("\n")[:-1]]


class Held(NamedTuple):
    """A row of the table."""

    claim: Claim
    home: str
    origin: str


def read_lines(lines: Iterable[str]) -> dict[str, Held]:
    """Read what `IdentityTable.lines` gave, by legacy key."""
    found = {}
    for _, pk, auther_id, pinned, print_, home, origin in parse(lines):
        claim = Claim(str(pk), str(auther_id), pinned, print_)
        found[claim.pk] = Held(claim, str(home), str(origin))
    return found


class Link(NamedTuple):
    """A row that is there."""

    auther_id: str
    home: str
    origin: str


@dataclass(frozen=True)
class Known:
    """What the table holds of a page.

    Attributes:
        links: By legacy key.
        owners: (source, legacy key) by Auther id.
    """

    links: dict[str, Link] = field(default_factory=dict)
    owners: dict[str, tuple[str, str]] = field(default_factory=dict)


class ClaimedMeanwhileError(Exception):
    """Somebody else linked one of these users after we looked; nothing was written."""


class IdentityTable:
    """Reads and writes `migrator_identity` for one source; each call is one transaction."""

    def __init__(self, connection: Connection, users: TableShape, *, source: str) -> None:
        self._connection = connection
        self._source = source
        self._turn = connection.turn
        self._users = ident(users.schema, users.name)
        table = ident(users.schema, TABLES[0])
        self._place = {"table": table, "schema": users.schema, "name": TABLES[0]}
        self._parts = {
            "identity": table,
            "instance": ident(users.schema, TABLES[1]),
            "shadow": ident(users.schema, TABLES[2]),
            "write_back": ident(users.schema, TABLES[3]),
            "tombstone": ident(users.schema, TABLES[4]),
            "token": ident(users.schema, TABLES[5]),
            "session": ident(users.schema, TABLES[6]),
            "process": ident(users.schema, TABLES[7]),
            "users": users.relation,
            "function": ident(users.schema, FUNCTION),
        }
        self._queries = {
            **load("migrator.legacy", "new_user.sql"),
            **connection.queries("identity.sql"),
        }

    def exists(self) -> bool:
        """Tell whether the table is there."""
        return bool(self._ask("exists", **self._place)[0][0])

    def create(self, *, new_user: Any = None) -> None:
        """Create our tables where they are missing, and let the application use them.

        Args:
            new_user: What `new_user_function` gave, where shims may make rows for new users; left out
                by a database that has no functions of that kind.

        Raises:
            DependencyError: Our role may not create tables beside the users table.
        """
        with wrapped("creating migrator_identity"), self._transaction():
            is_new = not self.exists()
            for part in ("identity", "instance", "shadow", "tombstone", "token", "process"):
                self._connection.execute(self._query(f"create_{part}"), {})
            # Even where an index is there, asking for it waits for everybody who writes.
            if is_new:
                self._connection.execute(self._query("create_signed_out"), {})
            if new_user is not None and self._connection.runs_functions:
                self._connection.execute(new_user, {})
            for (role,) in self._ask("application_roles", users=self._users):
                for grant in ("grant", "grant_more"):
                    self._connection.execute(self._query(grant, role=ident(role)), {})

    def known(self, pks: Sequence[str], auther_ids: Sequence[str]) -> Known:
        """Look up a page by both of its keys."""
        links = self._ask("of_users", pks=list(pks))
        owners = self._ask("of_auther_ids", ids=list(auther_ids))
        return Known(
            {pk: Link(auther_id, home, origin) for pk, auther_id, home, origin in links},
            {auther_id: (source, pk) for auther_id, source, pk in owners},
        )

    def claims(self, pks: Sequence[str]) -> dict[str, Claim]:
        """Give what was written down about users, by legacy key."""
        return {row[0]: Claim(*row) for row in self._ask("claims", pks=list(pks))}

    def lines(self, pks: Sequence[str]) -> list[str]:
        """Give the rows of users as lines of COPY, which `read_lines` reads; in any order."""
        with wrapped("reading migrator_identity"), self._turn:
            asked = {"source": self._source, "pks": list(pks)}
            return copy_lines(self._connection, self._query("lines_of_users"), asked)

    def claim(
        self, new: Sequence[Claim], *, renewed: Sequence[Claim] = (), plain: bytes = b""
    ) -> None:
        """Write users down as ours, all or none.

        Args:
            new: Users without a row.
            plain: More of them, as `plain_claims` gives them.
            renewed: Users with a row whose target rows are about to be written again.

        Raises:
            ClaimedMeanwhileError: A row came into being meanwhile; look again.
            DependencyError: The database failed; nothing was written.
        """
        rows = plain + dump((self._source, *claim) for claim in new)
        if not rows and not renewed:
            return
        try:
            with wrapped("writing migrator_identity"), self._transaction():
                self._write(rows)
                for claim in renewed:
                    self._ask_nothing("renew", **claim._asdict())
        except DependencyError as error:
            if isinstance(error.__cause__, errors.UniqueViolation):
                raise ClaimedMeanwhileError from error
            raise

    def _write(self, rows: bytes) -> None:
        with self._connection.cursor() as cursor, cursor.copy(self._query("claim"), {}) as copy:
            copy.write(rows)

    def link(self, links: Mapping[str, str]) -> None:
        """Write down, by hand of a person, whom Auther has already; all or none.

        Args:
            links: Auther id by legacy key.

        Raises:
            ClaimedMeanwhileError: A row came into being meanwhile; look again.
            DependencyError: The database failed; nothing was written.
        """
        try:
            with wrapped("writing migrator_identity"), self._transaction():
                for pk, auther_id in links.items():
                    self._ask_nothing("link", pk=pk, auther_id=auther_id)
        except DependencyError as error:
            if isinstance(error.__cause__, errors.UniqueViolation):
                raise ClaimedMeanwhileError from error
            raise

    def unlink(self) -> int:
        """Forget whom a person linked; nothing at Auther belongs to it.

        Returns:
            The number of rows that went.
        """
        return len(self._ask("unlink"))

    def release(self, auther_ids: Sequence[str]) -> None:
        """Forget rows that the import wrote."""
        self._ask_nothing("release", ids=list(auther_ids))

    def pages(self, *, rows: int) -> Iterator[list[tuple[Claim, str]]]:
        """Read the import's rows in key order, page by page, each with the user's home."""
        after = ""
        while True:
            found = self._ask("page", after=after, rows=rows)
            if not found:
                return
            yield [(Claim(pk, at, pinned, print_), home) for pk, at, home, pinned, print_ in found]
            after = found[-1][0]

    def orphans(self, *, id_column: str, limit: int, after: str = "") -> list[tuple[str, str]]:
        """Give (legacy key, Auther id) of imported users whose legacy row is gone, at most `limit`."""
        query = self._query("orphans", id=ident(id_column))
        with wrapped("reading migrator_identity"):
            asked = {"source": self._source, "rows": limit, "after": after}
            found = self._connection.execute(query, asked)
            return [(pk, auther_id) for pk, auther_id in found]

    def count(self) -> int:
        """Count the import's rows."""
        return int(self._ask("count")[0][0])

    def count_all(self) -> int:
        """Count the rows of all sources, those linked at a login included."""
        return int(self._ask("count_all")[0][0])

    def drop_when_empty(self) -> bool:
        """Drop our tables when no row is left that anybody needs.

        Returns:
            Whether they were dropped.
        """
        with wrapped("dropping migrator_identity"), self._transaction():
            if not self._ask("is_empty")[0][0]:
                return False
            if self._connection.runs_functions:
                self._connection.execute(self._query("drop_new_user"), {})
            self._connection.execute(self._query("drop"), {})
            return True

    def _query(self, name: str, **parts: str) -> Any:
        return compose(self._queries[name], **self._parts, **parts)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # One thread may be writing a page while another one looks the next one up.
        with self._turn, self._connection.transaction():
            yield

    def _ask(self, name: str, /, **params: Any) -> list[tuple[Any, ...]]:
        with wrapped("reading migrator_identity"), self._turn:
            return self._connection.execute(
                self._query(name), {"source": self._source, **params}
            ).fetchall()

    def _ask_nothing(self, name: str, **params: Any) -> None:
        with wrapped("writing migrator_identity"), self._turn:
            self._connection.execute(self._query(name), {"source": self._source, **params})
