"""Auther's database as a SQLite or libSQL file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.auther import schema
from migrator.auther.interface import (
    CREDENTIAL,
    AccountRow,
    Found,
    Stored,
    TargetChangedError,
    UserRow,
)
from migrator.auther.sqlite_errors import wrapped
from migrator.core.errors import RefusedError, UsageError
from migrator.core.queries import load
from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from migrator.auther.interface import Mapped

BUSY_TIMEOUT_S = 30
CACHE_KIB = 32_768
_OWNER_ONLY = 0o600


@contextmanager
def open_sqlite(
    path: Path, *, bulk: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> Iterator[SqliteTarget]:
    """Open Auther's database file for reading and writing; where there is none, make it (0600).

    Args:
        path: The file.
        bulk: The file is this migration's own and nobody uses it yet: write it in WAL mode, and
            leave it in `delete` mode, which is what Auther starts with. Otherwise the file's
            mode is left as it is found.
        busy_timeout_s: How long to wait for another writer.

    Raises:
        RefusedError: The tables are not those of better-auth 1.3; the message names what differs.
        DependencyError: The file is busy, damaged or cannot be opened.
    """
    with wrapped(path):
        is_new = not path.exists()
        if is_new:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=_OWNER_ONLY)
        connection = _connect(path.resolve().as_uri(), busy_timeout_s)
    try:
        with wrapped(path):
            _prepare(connection, path, bulk=bulk)
        yield SqliteTarget(connection, path)
        if bulk:
            with wrapped(path):
                connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()


def _connect(uri: str, busy_timeout_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
    )


def _prepare(connection: sqlite3.Connection, path: Path, *, bulk: bool) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    if schema.is_empty(connection):
        schema.create_tables(connection)
    refuse_unknown(connection, path)
    if bulk:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")


def refuse_unknown(connection: sqlite3.Connection, path: Path) -> None:
    """Let pass only tables that the import knows.

    Raises:
        RefusedError: Something differs; the message names it.
    """
    faults = schema.faults(connection)
    if faults:
        raise RefusedError(
            f"{path.name} is not an Auther database of better-auth 1.3: {'; '.join(faults)}",
            hint="point auther.database in migrator.toml at another file",
        )


@contextmanager
def open_existing(path: Path) -> Iterator[SqliteTarget]:
    """Open Auther's database file so that SQLite itself refuses to write.

    Raises:
        UsageError: There is no such file.
        RefusedError: The tables are not those of better-auth 1.3.
        DependencyError: The file is busy, damaged or cannot be opened.
    """
    if not path.exists():
        raise UsageError(f"there is no Auther database at {path.name}", hint="migrator import run")
    with wrapped(path):
        connection = _connect(f"{path.resolve().as_uri()}?mode=ro", BUSY_TIMEOUT_S)
    try:
        with wrapped(path):
            refuse_unknown(connection, path)
        yield SqliteTarget(connection, path)
    finally:
        connection.close()


class SqliteTarget:
    """Reads and writes one file; each write is one transaction, all or nothing."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._queries = load("migrator.auther", "sqlite.sql")
        self._knows_subjects = False

    def find(self, rows: Sequence[Mapped]) -> Found:  # noqa: D102
        with wrapped(self._path):
            return Found(
                ids=frozenset(self._ask("find_ids", [row.user.id for row in rows])),
                emails=self._pairs("find_emails", [row.user.email for row in rows]),
                usernames=self._pairs(
                    "find_usernames", [row.user.username for row in rows if row.user.username]
                ),
                subjects=self._subjects(rows),
            )

    def write(self, rows: Sequence[Mapped]) -> None:  # noqa: D102
        users = [row.user for row in rows]
        accounts = [account for row in rows for account in row.accounts]
        with wrapped(self._path), self._transaction():
            self._insert("insert_user", users)
            self._insert("insert_account", accounts)

    def read(self, ids: Sequence[str]) -> dict[str, Stored]:  # noqa: D102
        with wrapped(self._path):
            accounts: dict[str, list[AccountRow]] = {}
            for row in self._connection.execute(self._queries["read_accounts"], [_json(ids)]):
                account = AccountRow(*row)
                accounts.setdefault(account.user_id, []).append(account)
            users = self._connection.execute(self._queries["read_users"], [_json(ids)])
            return {
                user.id: Stored(user, tuple(accounts.get(user.id, ())))
                for user in map(UserRow._make, users)
            }

    def owners(self, emails: Sequence[str]) -> dict[str, str]:
        """Give the user id by address, for those addresses that are there."""
        with wrapped(self._path):
            return self._pairs("find_emails", emails)

    def user_ids(self, *, rows: int) -> Iterator[list[str]]:  # noqa: D102
        after = ""
        while True:
            with wrapped(self._path):
                found = self._connection.execute(self._queries["page_of_ids"], [after, rows])
                page = [user_id for (user_id,) in found]
            if not page:
                return
            yield page
            after = page[-1]

    def tables_in_use(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """Name, per user, the tables other than `account` that hold rows of that user."""
        used: dict[str, list[str]] = {}
        with wrapped(self._path):
            for table, column in self._connection.execute(
                self._queries["tables_of_users"]
            ).fetchall():
                if table == "account":
                    continue
                query = self._queries["uses"].format(table=ident(table), column=ident(column))
                for (user_id,) in self._connection.execute(query, [_json(ids)]):
                    used.setdefault(user_id, []).append(table)
        return used

    def remove(self, ids: Sequence[str]) -> int:  # noqa: D102
        with wrapped(self._path), self._transaction():
            return self._connection.execute(self._queries["remove_users"], [_json(ids)]).rowcount

    def count_users(self) -> int:
        """Count all users, ours and others'."""
        with wrapped(self._path):
            return int(self._connection.execute(self._queries["count_users"]).fetchone()[0])

    def ensure_account_index(self) -> bool:
        """Create an index on account(user_id) where there is none.

        Returns:
            Whether it was created.
        """
        with wrapped(self._path):
            if self._connection.execute(self._queries["index_of_accounts"]).fetchone()[0]:
                return False
            self._connection.execute(self._queries["create_account_index"])
            return True

    def drop_account_index(self) -> None:
        """Drop the index that `ensure_account_index` created."""
        with wrapped(self._path):
            self._connection.execute(self._queries["drop_account_index"])

    def _ask(self, query: str, values: Sequence[str]) -> list[str]:
        return [v for (v,) in self._connection.execute(self._queries[query], [_json(values)])]

    def _pairs(self, query: str, values: Sequence[str]) -> dict[str, str]:
        if not values:
            return {}
        return dict(self._connection.execute(self._queries[query], [_json(values)]).fetchall())

    def _subjects(self, rows: Sequence[Mapped]) -> dict[tuple[str, str], str]:
        wanted = [a.account_id for r in rows for a in r.accounts if a.provider_id != CREDENTIAL]
        if not wanted:
            return {}
        if not self._knows_subjects:
            # Auther has no index on account ids: one copy beside the file serves all pages.
            self._connection.execute(self._queries["copy_subjects"])
            self._connection.execute(self._queries["index_subjects"])
            self._knows_subjects = True
        found = self._connection.execute(self._queries["find_subjects"], [_json(wanted)])
        return {(provider, subject): owner for provider, subject, owner in found}

    def _insert(self, query: str, rows: Sequence[UserRow] | Sequence[AccountRow]) -> None:
        if not rows:
            return
        try:
            written = self._connection.executemany(self._queries[query], rows).rowcount
        except sqlite3.IntegrityError as error:
            raise TargetChangedError from error
        if written != len(rows):
            raise TargetChangedError

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _json(values: Sequence[str]) -> str:
    return json.dumps(values, ensure_ascii=False)
