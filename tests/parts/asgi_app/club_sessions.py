"""The club's own sign-in: Devise's users, sessions as activerecord-session_store keeps them."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import secrets
import threading
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

import bcrypt
import psycopg
from auther_dual_path import AccountState, LegacySession, devise_state
from auther_dual_path.identity import Account as Columns

from migrator.metrics.ruby_marshal import Hash, load

COOKIE = "_club_session"
REMEMBER_COOKIE = "_club_remember"
REMEMBER_KEY = b"remember-me-key-of-the-club"
USER_KEY = "warden.user.user.key"
SALT_LENGTH = 29
# Where a request keeps its session's row once it was read.
ROW = "club.session_row"
T = TypeVar("T")
Scope = MutableMapping[str, Any]

READ = "SELECT data FROM sessions WHERE session_id = %s"
WRITE = """INSERT INTO sessions (session_id, data, created_at, updated_at)
VALUES (%s, %s, now(), now())
ON CONFLICT (session_id) DO UPDATE SET data = excluded.data, updated_at = now()"""
ACCOUNT = "SELECT id, encrypted_password FROM users"
FAILED = "UPDATE users SET failed_attempts = failed_attempts + 1 WHERE id = %s"
FITTED = "UPDATE users SET sign_in_count = sign_in_count + 1 WHERE id = %s"
RESET = "UPDATE users SET encrypted_password = %s, reset_password_token = NULL WHERE id = %s"
USER = """SELECT encrypted_password, locked_at::text, failed_attempts::text, confirmed_at::text,
deleted_at::text FROM users WHERE id = %s"""


@dataclass(frozen=True)
class Account:
    """Who can sign in."""

    pk: str
    password_hash: str


class ClubSessions:
    """Reads and writes sessions; what the shim asks is in the first four methods."""

    def __init__(self, dsn: str, *, pepper: str) -> None:
        self._dsn = dsn
        self._pepper = pepper
        self._local = threading.local()

    async def holds_user(self, scope: Scope) -> bool:
        """Tell whether session or remember-me name somebody; without a cookie no query runs."""
        return USER_KEY in await self._session(scope) or self._remembered(scope) is not None

    async def read(self, scope: Scope) -> LegacySession | None:
        """Say whom the session names, or else remember-me."""
        key = (await self._session(scope)).get(USER_KEY) or self._remembered(scope)
        return await self._off_the_loop(lambda: self._user_of(key))

    async def forget(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Take the user out of the session row; the rest of it stays. Remember-me goes."""
        cookie = cookie_of(scope, COOKIE)
        if cookie:
            await self._off_the_loop(lambda: self._drop_user(cookie))
        gone = f"{REMEMBER_COOKIE}=; Path=/; Max-Age=0".encode()
        return [(b"set-cookie", gone)] if cookie_of(scope, REMEMBER_COOKIE) else []

    def fixture(self) -> Scope:
        """Give a request whose session names nobody's number, encoded as `begin` does."""
        return {"headers": [], ROW: encode({USER_KEY: [[0], ""]})}

    async def find(self, email: str) -> Account | None:
        """Give the account with this address."""
        query = f"{ACCOUNT} WHERE email = lower(%s)"
        return await self._off_the_loop(lambda: self._account(query, email.strip()))

    async def of_reset_token(self, token: str) -> Account | None:
        """Give the account that a reset link belongs to."""
        query = f"{ACCOUNT} WHERE reset_password_token = %s"
        return await self._off_the_loop(lambda: self._account(query, token))

    async def password_fits(self, account: Account, password: str) -> bool:
        """Compare as Devise does, failed attempts counted."""
        return await self._off_the_loop(lambda: self._password_fits(account, password))

    async def begin(self, pk: str) -> str:
        """Begin a session; give its cookie's value."""
        cookie = secrets.token_hex(16)
        await self._off_the_loop(lambda: self._begin(cookie, int(pk)))
        return cookie

    def remember_cookie(self, account: Account) -> str:
        """Give a remember-me cookie's value, bound to the password as a session is."""
        key = json.dumps([[int(account.pk)], account.password_hash[:SALT_LENGTH]])
        text = key.encode().hex()
        return f"{text}.{self._signature(text)}"

    async def use_reset_token(self, account: Account, password: str, *, keep_hash: bool) -> None:
        """Use up a reset link; set the password unless it is somebody else's business."""
        cost = bcrypt.gensalt(4)
        new = bcrypt.hashpw((password + self._pepper).encode()[:72], cost).decode()
        values = (account.password_hash if keep_hash else new, int(account.pk))
        await self._off_the_loop(lambda: self._connection().execute(RESET, values))

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)

    async def _session(self, scope: Scope) -> dict[str, Any]:
        if ROW not in scope:
            cookie = cookie_of(scope, COOKIE)
            scope[ROW] = await self._off_the_loop(lambda: self._row(cookie)) if cookie else ""
        return decode(scope[ROW])

    def _remembered(self, scope: Scope) -> Any:
        text, _, signature = cookie_of(scope, REMEMBER_COOKIE).rpartition(".")
        good = text and hmac.compare_digest(signature, self._signature(text))
        return json.loads(bytes.fromhex(text)) if good else None

    def _signature(self, text: str) -> str:
        return hmac.new(REMEMBER_KEY, text.encode(), sha256).hexdigest()

    def _begin(self, cookie: str, pk: int) -> None:
        row = self._connection().execute(USER, (pk,)).fetchone()
        self._write(cookie, {USER_KEY: [[pk], row[0][:SALT_LENGTH] if row else ""]})

    def _user_of(self, key: Any) -> LegacySession | None:
        (pk,), salt = key
        row = self._connection().execute(USER, (pk,)).fetchone()
        # Devise ties a session to the first characters of the hash: a new password ends it.
        if row is None or (row[0] or "")[:SALT_LENGTH] != salt:
            return None
        return LegacySession(str(pk), self._state(row))

    def _state(self, row: tuple[Any, ...]) -> AccountState:
        account = Columns(row[1], row[2], True, row[3], row[4])
        return devise_state(account, datetime.now(UTC))

    def _row(self, cookie: str) -> str:
        row = self._connection().execute(READ, (_private_id(cookie),)).fetchone()
        return "" if row is None or row[0] is None else str(row[0])

    def _drop_user(self, cookie: str) -> None:
        content = decode(self._row(cookie))
        if content.pop(USER_KEY, None) is not None:
            self._write(cookie, content)

    def _account(self, query: str, value: str) -> Account | None:
        row = self._connection().execute(query, (value,)).fetchone()
        return None if row is None else Account(str(row[0]), row[1] or "")

    def _password_fits(self, account: Account, password: str) -> bool:
        typed, stored = (password + self._pepper).encode()[:72], account.password_hash.encode()
        fits = bool(stored) and bcrypt.checkpw(typed, stored)
        self._connection().execute(FITTED if fits else FAILED, (int(account.pk),))
        return fits

    def _write(self, cookie: str, content: dict[str, Any]) -> None:
        self._connection().execute(WRITE, (_private_id(cookie), encode(content)))

    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        connection = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            connection = psycopg.connect(self._dsn, autocommit=True)
            self._local.connection = connection
        return connection


def session_cookie(scope: Scope) -> str:
    """Give the session cookie's value."""
    return cookie_of(scope, COOKIE)


def cookie_of(scope: Scope, wanted: str) -> str:
    """Give a cookie's value, '' without one."""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    pairs = (part.strip().partition("=") for line in lines for part in line.split(";"))
    return {name: value for name, _, value in pairs}.get(wanted, "")


def encode(content: dict[str, Any]) -> str:
    """Write a row as this application does."""
    return json.dumps({"value": content}, default=str)


def decode(data: str) -> dict[str, Any]:
    """Read a row: Marshal in Base64, as Rails wrote it, or JSON, as this application writes it."""
    if not data:
        return {}
    if data.startswith("{"):
        content: dict[str, Any] = json.loads(data)["value"]
        return content
    plain = _plain(load(base64.b64decode(data)))
    return plain if isinstance(plain, dict) else {}


def _plain(value: object) -> Any:
    if isinstance(value, Hash):
        return {str(_plain(key)): _plain(item) for key, item in value.pairs}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def _private_id(public_id: str) -> str:
    return "2::" + sha256(public_id.encode()).hexdigest()
