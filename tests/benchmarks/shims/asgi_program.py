"""The ASGI target's in-process benchmark; `bench_shim` runs it beside a freshly generated package."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import logging
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from auther_dual_path import DualPathMiddleware, LegacySession, Person
from auther_dual_path.settings import SETTINGS
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAIRS = 3000
KEY = Ed25519PrivateKey.generate()
JWK = {
    "kty": "OKP",
    "crv": "Ed25519",
    "kid": "k1",
    "x": base64.urlsafe_b64encode(KEY.public_key().public_bytes_raw()).rstrip(b"=").decode(),
}
BARE_KEY = jwt.PyJWK(JWK, "EdDSA")
PERSON = Person("7", "u" * 32)
HEADERS = [
    (b"host", b"club.example.org"),
    (
        b"user-agent",
        b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
    ),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"en"),
    (b"sec-fetch-mode", b"cors"),
    (b"sec-fetch-site", b"same-origin"),
    (b"x-forwarded-for", b"192.0.2.7"),
    (b"x-request-id", b"7f7a0c3c9a2b4f0e8d9c"),
]
Measure = tuple[int, int]


class People:
    """The lookup of both sides: the same constant."""

    async def by_auther_id(self, _: str) -> Person:
        return PERSON

    def seen_on_legacy(self, user_pk: str) -> None: ...

    def beat(self, facts: object) -> None: ...

    def signed_out_everywhere(self) -> frozenset[str]:
        return frozenset()


class Sessions:
    """A session cookie whose content is read as cheaply as possible."""

    async def holds_user(self, scope: Any) -> bool:
        return session_of(scope) != ""

    async def read(self, scope: Any) -> LegacySession:
        return LegacySession(session_of(scope))

    async def forget(self, _: Any) -> list[tuple[bytes, bytes]]:
        return []

    def fixture(self) -> Any:
        return {"headers": [(b"cookie", b"session=7")]}


def session_of(scope: Any) -> str:
    cookies = [value for name, value in scope["headers"] if name == b"cookie"]
    found = cookies[0].partition(b"session=")[2] if cookies else b""
    return str(found.partition(b";")[0].decode())


async def application(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def jwks() -> bytes:
    return json.dumps({"keys": [JWK]}).encode()


async def receive() -> Any:
    return {"type": "http.request", "body": b""}


async def send(message: Any) -> None: ...


def token(number: int) -> str:
    now = int(time.time())
    claims = {
        "iss": SETTINGS.issuers[0],
        "aud": SETTINGS.audiences[0],
        "sub": PERSON.auther_id,
        "iat": now,
        "exp": now + 172_800,
        "nonce": f"{number:043}",
        "acr": "urn:mace:incommon:iap:silver",
        "name": "Alice Example",
        "given_name": "Alice",
        "family_name": "Example",
        "email": "alice@example.org",
        "email_verified": True,
    }
    return jwt.encode(claims, KEY, "EdDSA", headers={"kid": "k1"})


def scope(*more: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/api/members",
        "query_string": b"page=2",
        "scheme": "https",
        "headers": [*HEADERS, *more],
    }


def bearer(text: str) -> dict[str, Any]:
    return scope((b"authorization", f"Bearer {text}".encode()))


async def timed(work: Callable[[], Awaitable[None]]) -> int:
    began = time.perf_counter_ns()
    await work()
    return time.perf_counter_ns() - began


async def pair(
    number: int, bare: Callable[[], Awaitable[None]], shim: Callable[[], Awaitable[None]]
) -> Measure:
    """Time both, each first in every other pair."""
    if number % 2:
        took = await timed(shim)
        return await timed(bare), took
    return await timed(bare), await timed(shim)


async def fresh(shim: Any, people: People) -> list[Measure]:
    found = []
    for number in range(PAIRS):
        text = token(number)
        plain, guarded = scope(), bearer(text)

        async def bare(text: str = text, plain: Any = plain) -> None:
            claims = jwt.decode(
                text,
                BARE_KEY,
                algorithms=["EdDSA"],
                audience=list(SETTINGS.audiences),
                issuer=list(SETTINGS.issuers),
                options={"require": ["exp", "sub"]},
                leeway=30,
            )
            await people.by_auther_id(claims["sub"])
            await application(plain, receive, send)

        found.append(await pair(number, bare, lambda at=guarded: shim(at, receive, send)))
    return found


async def cached(shim: Any, people: People) -> list[Measure]:
    text, found = token(0), []
    for number in range(PAIRS):
        plain, guarded = scope(), bearer(text)

        async def bare(plain: Any = plain) -> None:
            await people.by_auther_id(PERSON.auther_id)
            await application(plain, receive, send)

        found.append(await pair(number, bare, lambda at=guarded: shim(at, receive, send)))
    return found


async def legacy(shim: Any, sessions: Sessions) -> list[Measure]:
    cookie, found = (b"cookie", b"theme=dark; session=7; consent=1"), []
    for number in range(PAIRS):
        plain, guarded = scope(cookie), scope(cookie)

        async def bare(plain: Any = plain) -> None:
            await sessions.read(plain)
            await application(plain, receive, send)

        found.append(await pair(number, bare, lambda at=guarded: shim(at, receive, send)))
    return found


async def memory(shim: Any) -> list[int]:
    """Give what is resident after each cache's size in distinct tokens."""
    found = []
    for turn in range(3):
        for number in range(SETTINGS.verified_tokens):
            await shim(bearer(token((turn + 1) * 1_000_000 + number)), receive, send)
        gc.collect()
        found.append(resident_kib())
    return found


def resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1024


async def main() -> None:
    # Each decision's line is written at INFO, and goes nowhere: how fast a disk is, is not the shim's.
    log = logging.getLogger("auther_dual_path")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(logging.NullHandler())
    people, sessions = People(), Sessions()
    shim = DualPathMiddleware(
        application,
        legacy=sessions,
        people=people,  # type: ignore[arg-type]  # what no request of these asks is left out
        fetch_jwks=jwks,
    )
    for number in range(300):  # warm
        await shim(bearer(token(-1 - number)), receive, send)
    result = {
        "library": f"PyJWT {jwt.__version__}",
        "fresh": await fresh(shim, people),
        "cached": await cached(shim, people),
        "legacy": await legacy(shim, sessions),
        "memory_kib": await memory(shim),
    }
    json.dump(result, sys.stdout)


asyncio.run(main())
