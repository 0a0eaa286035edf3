"""The club's own sign-in: Devise's users, sessions as activerecord-session_store keeps them."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import threading
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

import bcrypt
import psycopg
from auther_dual_path import AccountState, LegacySession, devise_state
from auther_dual_path.identity import Account

from migrator.metrics.ruby_marshal import Hash, load

COOKIE = "_club_session"
USER_KEY = "warden.user.user.key"
SALT_LENGTH = 29
T = TypeVar("T")
Scope = MutableMapping[str, Any]

READ = "SELECT data FROM sessions WHERE session_id = %s"
WRITE = """INSERT INTO sessions (session_id, data, created_at, updated_at)
VALUES (%s, %s, now(), now())
ON CONFLICT (session_id) DO UPDATE SET data = excluded.data, updated_at = now()"""
USER = """SELECT encrypted_password, locked_at::text, failed_attempts::text, confirmed_at::text,
deleted_at::text FROM users WHERE id = %s"""


class ClubSessions:
    """Reads and writes sessions; what the shim asks is in `read` and `forget`."""

    def __init__(self, dsn: str, *, pepper: str) -> None:
        self._dsn = dsn
        self._pepper = pepper
        self._local = threading.local()

    async def read(self, scope: Scope) -> LegacySession | None:
        """Say whom the session cookie names; without a cookie no query runs."""
        cookie = session_cookie(scope)
        return await self._off_the_loop(lambda: self._user_of(cookie)) if cookie else None

    async def forget(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Take the user out of the session row; the rest of it stays."""
        cookie = session_cookie(scope)
        if cookie:
            await self._off_the_loop(lambda: self._drop_user(cookie))
        return []

    async def sign_in(self, email: str, password: str) -> str | None:
        """Check a password as Devise does and give a session cookie's value."""
        return await self._off_the_loop(lambda: self._sign_in(email, password))

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)

    def _user_of(self, cookie: str) -> LegacySession | None:
        content = self._content(cookie)
        key = content.get(USER_KEY)
        if not key:
            return None
        (pk,), salt = key
        row = self._connection().execute(USER, (pk,)).fetchone()
        # Devise ties a session to the first characters of the hash: a new password ends it.
        if row is None or (row[0] or "")[:SALT_LENGTH] != salt:
            return None
        return LegacySession(str(pk), self._state(row))

    def _state(self, row: tuple[Any, ...]) -> AccountState:
        account = Account(row[1], row[2], True, row[3], row[4])
        return devise_state(account, datetime.now(UTC))

    def _content(self, cookie: str) -> dict[str, Any]:
        row = self._connection().execute(READ, (_private_id(cookie),)).fetchone()
        return {} if row is None or row[0] is None else decode(row[0])

    def _drop_user(self, cookie: str) -> None:
        content = self._content(cookie)
        if content.pop(USER_KEY, None) is not None:
            self._write(cookie, content)

    def _sign_in(self, email: str, password: str) -> str | None:
        query = "SELECT id, encrypted_password FROM users WHERE email = lower(%s)"
        row = self._connection().execute(query, (email.strip(),)).fetchone()
        if row is None or not row[1]:
            return None
        if not bcrypt.checkpw((password + self._pepper).encode()[:72], row[1].encode()):
            failed = "UPDATE users SET failed_attempts = failed_attempts + 1 WHERE id = %s"
            self._connection().execute(failed, (row[0],))
            return None
        counted = "UPDATE users SET sign_in_count = sign_in_count + 1 WHERE id = %s"
        self._connection().execute(counted, (row[0],))
        cookie = secrets.token_hex(16)
        self._write(cookie, {USER_KEY: [[row[0]], row[1][:SALT_LENGTH]]})
        return cookie

    def _write(self, cookie: str, content: dict[str, Any]) -> None:
        self._connection().execute(
            WRITE, (_private_id(cookie), json.dumps({"value": content}, default=str))
        )

    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        connection = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            connection = psycopg.connect(self._dsn, autocommit=True)
            self._local.connection = connection
        return connection


def session_cookie(scope: Scope) -> str:
    """Give the session cookie's value."""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    pairs = (part.strip().partition("=") for line in lines for part in line.split(";"))
    return {name: value for name, _, value in pairs}.get(COOKIE, "")


def decode(data: str) -> dict[str, Any]:
    """Read a row: Marshal in Base64, as Rails wrote it, or JSON, as this application writes it."""
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
