"""The ASGI target's in-process benchmark; `bench_shim` runs it beside a freshly generated package."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from auther_dual_path import DualPathMiddleware, LegacySession, Person
from auther_dual_path.settings import SETTINGS
from python_parts import (
    AUTHER_ID,
    HEADERS,
    JWKS,
    LIBRARY,
    PAIRS,
    WARM,
    resident_kib,
    token,
    verified,
    write_log_lines_nowhere,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PERSON = Person("7", AUTHER_ID)
SENT = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
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
    return JWKS


async def receive() -> Any:
    return {"type": "http.request", "body": b""}


async def send(message: Any) -> None: ...


def scope(*more: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/api/members",
        "query_string": b"page=2",
        "scheme": "https",
        "headers": [*SENT, *more],
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
            claims = verified(text)
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


async def main() -> None:
    write_log_lines_nowhere()
    people, sessions = People(), Sessions()
    shim = DualPathMiddleware(
        application,
        legacy=sessions,
        people=people,  # type: ignore[arg-type]  # what no request of these asks is left out
        fetch_jwks=jwks,
    )
    for number in range(WARM):
        await shim(bearer(token(-1 - number)), receive, send)
    result = {
        "library": LIBRARY,
        "fresh": await fresh(shim, people),
        "cached": await cached(shim, people),
        "legacy": await legacy(shim, sessions),
        "memory_kib": await memory(shim),
    }
    json.dump(result, sys.stdout)


asyncio.run(main())
