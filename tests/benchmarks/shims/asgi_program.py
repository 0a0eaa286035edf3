"""The ASGI target's in-process benchmark; `bench_shim` runs it beside a freshly generated package."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from auther_dual_path import DualPathMiddleware, LegacySession, Person
from python_parts import (
    AUTHER_ID,
    HEADERS,
    JWKS,
    Writes,
    measure,
    token,
    verified,
    write_log_lines_nowhere,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from python_parts import Pair

PERSON = Person("7", AUTHER_ID)
SENT = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class People(Writes):
    """The lookup of both sides: the same constant."""

    async def by_auther_id(self, _: str) -> Person:
        return PERSON

    async def process_began(self, _: object) -> bool:
        return False


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


def ran(request: Coroutine[Any, Any, object]) -> None:
    """Serve a request that waits for nothing, without an event loop's share in it."""
    try:
        request.send(None)
    except StopIteration:
        return
    raise RuntimeError("it waits for something")


async def main() -> None:
    write_log_lines_nowhere()
    people, sessions = People(), Sessions()
    shim = DualPathMiddleware(
        application,
        legacy=sessions,
        people=people,  # type: ignore[arg-type]  # what no request of these asks is left out
        fetch_jwks=jwks,
    )
    again, cookie = token(0), (b"cookie", b"theme=dark; session=7; consent=1")
    # It waits for the keys.
    await shim(bearer(again), receive, send)

    def with_shim(at: Any) -> Callable[[], None]:
        return lambda: ran(shim(at, receive, send))

    def fresh(number: int) -> Pair:
        text, plain = token(number), scope()

        async def bare() -> None:
            await people.by_auther_id(verified(text)["sub"])
            await application(plain, receive, send)

        return lambda: ran(bare()), with_shim(bearer(text))

    def cached(_: int) -> Pair:
        plain = scope()

        async def bare() -> None:
            await people.by_auther_id(AUTHER_ID)
            await application(plain, receive, send)

        return lambda: ran(bare()), with_shim(bearer(again))

    def legacy(_: int) -> Pair:
        plain = scope(cookie)

        async def bare() -> None:
            await sessions.read(plain)
            await application(plain, receive, send)

        return lambda: ran(bare()), with_shim(scope(cookie))

    measure(ask=lambda text: with_shim(bearer(text))(), fresh=fresh, cached=cached, legacy=legacy)


asyncio.run(main())
