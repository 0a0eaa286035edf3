"""Users as the import writes them, put straight into Auther's database file."""

import itertools
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from migrator.core.envelope import Envelope

LONG_AGO_MS = 1_700_000_000_000
# The lowest cost that bcrypt allows: the tests are about bytes, not about time.
COST = 4


@dataclass(frozen=True)
class User:
    """A user row with its credential account."""

    id: str
    email: str
    username: str


class Users:
    """The tables `user` and `account` of a database file."""

    _numbers = itertools.count(1)

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(
        self,
        stored: str | None,
        *,
        verified: bool = True,
        banned: bool = False,
        ban_expires_ms: int | None = None,
        credential: bool = True,
    ) -> User:
        """Insert a user whose `account.password` is `stored`."""
        number = next(self._numbers)
        user = User(f"user{number:04}", f"user{number:04}@example.com", f"user{number:04}")
        flags = (verified, banned, ban_expires_ms, LONG_AGO_MS, LONG_AGO_MS)
        columns = "id, email, username, name, email_verified, banned, ban_expires, created_at, updated_at"
        row = (user.id, user.email, user.username, "A Name", *flags)
        self.run(f"INSERT INTO user ({columns}) VALUES (?,?,?,?,?,?,?,?,?)", *row)
        self.add_account(user, "github", None)
        if credential:
            self.add_account(user, "credential", stored)
        return user

    def add_account(self, user: User, provider: str, password: str | None) -> None:
        """Insert an account of a user."""
        columns = "id, account_id, provider_id, user_id, password, created_at, updated_at"
        row = (
            f"{user.id}-{provider}",
            user.id,
            provider,
            user.id,
            password,
            LONG_AGO_MS,
            LONG_AGO_MS,
        )
        self.run(f"INSERT INTO account ({columns}) VALUES (?,?,?,?,?,?,?)", *row)

    def stored(self, user: User) -> str:
        """Give `account.password`."""
        return str(self.account(user)["password"])

    def account(self, user: User) -> dict[str, object]:
        """Give the credential account as a whole."""
        query = "SELECT * FROM account WHERE user_id = ? AND provider_id = 'credential'"
        return self.rows(query, user.id)[0]

    def run(self, statement: str, *values: object) -> None:
        """Execute and commit one statement."""
        with closing(sqlite3.connect(self.path, timeout=30)) as database, database:
            database.execute("PRAGMA foreign_keys = ON")
            database.execute(statement, values)

    def rows(self, query: str, *values: object) -> list[dict[str, object]]:
        """Give the rows of a query by column name."""
        with closing(sqlite3.connect(self.path, timeout=30)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query, values)]


def bcrypt_envelope(secret: str, *peppers: str, prefix: str = "2a") -> str:
    """Hash `secret` (password and pepper) as Devise does and wrap the value."""
    value = bcrypt.hashpw(secret.encode()[:72], bcrypt.gensalt(COST)).decode()
    return envelope(f"${prefix}{value[3:]}", *peppers)


def envelope(value: str, *peppers: str) -> str:
    """Wrap a bcrypt value."""
    return Envelope("bcrypt", value, peppers or ("none",)).encode()
