"""The demo's application: sign-in and one page, behind the generated ASGI shim.

Started by uvicorn with the environment that `tests.demo.processes` gives it. It keeps its sessions
as Rails' activerecord-session_store does and its passwords as Devise does, so that the toolkit
meets what it would meet at a Rails application, in a process that starts in a second.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import bcrypt
import psycopg
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from migrator.core.queries import load
from migrator.metrics.ruby_marshal import Hash
from migrator.metrics.ruby_marshal import load as unmarshal
from tests.demo.sessions import SALT_LENGTH, private_id, rails_session

sys.path.insert(0, os.environ["DEMO_SHIM"])
from auther_dual_path import (
    DualPathMiddleware,
    LegacySession,
    PostgresPeople,
    admit,
    login_target,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

logging.basicConfig(level=logging.WARNING, format="%(message)s")
logging.getLogger("auther_dual_path").setLevel(logging.INFO)

SQL = load("tests.demo", "legacy.sql")
DSN = os.environ["DEMO_DATABASE_URL"]
PEPPER = os.environ["DEMO_PEPPER"]
# What the team deploys before anything is removed: the build that no longer reads passwords.
LEGACY_CODE = os.environ["DEMO_LEGACY_CODE"] == "1"
COOKIE = "_shop_session"
# Where a request keeps its session's row once it was read.
ROW = "shop.session_row"
_local = threading.local()


def query(name: str, **values: object) -> tuple[Any, ...] | None:
    """Run a query on this thread's connection and give its first row."""
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(DSN, autocommit=True)
    cursor = _local.connection.execute(SQL[name], values)
    return cursor.fetchone() if cursor.description else None


class RailsSessions:
    """Reads the session table as Warden does: user id and the first 29 characters of the hash."""

    async def holds_user(self, scope: dict[str, Any]) -> bool:
        """Tell whether the session names somebody."""
        return LEGACY_CODE and await self._key(scope) is not None

    async def read(self, scope: dict[str, Any]) -> LegacySession | None:
        """Say whom the session names, if its salt still is the stored hash's."""
        (pk,), salt = await self._key(scope)
        stored = await asyncio.to_thread(query, "user_salt", id=pk)
        return LegacySession(str(pk)) if stored and stored[0].encode() == salt else None

    async def forget(self, scope: dict[str, Any]) -> Sequence[tuple[bytes, bytes]]:
        """End the session."""
        public_id = Request(scope).cookies.get(COOKIE)
        if not public_id:
            return ()
        await asyncio.to_thread(query, "delete_session", session_id=private_id(public_id))
        return ((b"set-cookie", f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly".encode()),)

    def fixture(self) -> dict[str, Any]:
        """Give a request with the session row of user 0, as Rails writes it."""
        _, session = rails_session(0, "$2a$04$" + "." * 53)
        return {"headers": [], ROW: session["data"]}

    async def _key(self, scope: dict[str, Any]) -> Any:
        """Give what Warden keeps of a user: [[id], salt]."""
        if ROW not in scope:
            public_id = Request(scope).cookies.get(COOKIE)
            scope[ROW] = await asyncio.to_thread(self._row, public_id) if public_id else ""
        content = unmarshal(b64decode(scope[ROW])) if scope[ROW] else None
        held = dict(content.pairs) if isinstance(content, Hash) else {}
        return held.get(b"warden.user.user.key")

    def _row(self, public_id: str) -> str:
        row = query("find_session", session_id=private_id(public_id))
        return str(row[0]) if row else ""


async def home(request: Request) -> JSONResponse:
    """Say who is here and by which credential."""
    user = request.scope["auther.user"]
    if user is None:
        return JSONResponse({"error": "sign in"}, 401)
    return JSONResponse({"user": user.user_pk, "by": user.credential})


async def login_form(request: Request) -> JSONResponse:
    """Say where the login button leads for this browser."""
    return JSONResponse({"login": login_target(request)})


async def login(request: Request) -> JSONResponse:
    """Sign in with a Devise password, where this browser's login is still here."""
    if login_target(request) == "auther" or not LEGACY_CODE:
        return JSONResponse({"error": "login_moved"}, 403)
    form = await request.json()
    row = await asyncio.to_thread(query, "user_by_email", email=form["email"])
    if row is None or not await asyncio.to_thread(_matches, form["password"], row[1]):
        return JSONResponse({"error": "wrong e-mail or password"}, 401)
    await admit(request, str(row[0]), door="json")
    public_id, session = rails_session(row[0], row[1])
    await asyncio.to_thread(lambda: query("insert_session", **session))
    answer = JSONResponse({"user": str(row[0])})
    answer.set_cookie(COOKIE, public_id, httponly=True, samesite="lax")
    return answer


def _matches(password: str, stored: str) -> bool:
    return len(stored) > SALT_LENGTH and bcrypt.checkpw(
        (password + PEPPER).encode()[:72], stored.encode()
    )


app = Starlette(
    routes=[
        Route("/", home),
        Route("/login", login_form),
        Route("/login", login, methods=["POST"]),
        Route("/healthz", lambda _request: JSONResponse({"ok": True})),
    ],
    middleware=[
        Middleware(DualPathMiddleware, legacy=RailsSessions(), people=PostgresPeople(DSN))
    ],
)
