"""WebSocket handshakes, decided like any request; spoken in ASGI, where all servers are alike."""

import asyncio
from typing import Any

import pytest

from migrator.conformance.issuer import Issuer
from tests.shims.asgi.club import ALICE, BOB, Club, sub_of
from tests.shims.asgi.package import Package


class Sessions:
    """Knows one visitor by a header of the test's own."""

    def __init__(self, package: Package) -> None:
        self.session = package.module("model").LegacySession

    async def holds_user(self, scope: Any) -> bool:
        """Tell whether the test names somebody."""
        return b"x-test-session" in dict(scope["headers"])

    async def read(self, scope: Any) -> Any:
        """Say whom the test names."""
        return self.session(dict(scope["headers"])[b"x-test-session"].decode())

    def fixture(self) -> Any:
        """Give a request that names somebody."""
        return {"headers": [(b"x-test-session", b"0")]}

    async def forget(self, _: Any) -> list[Any]:
        """Nothing is kept."""
        return []


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    user = scope["auther.user"]
    await send({"type": "websocket.accept", "subprotocol": user.user_pk if user else None})


def handshake(package: Package, dsn: str, **headers: str) -> dict[str, Any]:
    shim = package.module("middleware").DualPathMiddleware(
        application,
        legacy=Sessions(package),
        people=package.module("identity").PostgresPeople(dsn, settings=package.settings),
        environment=package.module("settings").Environment(cookie_secret="c" * 32),
    )
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    named = [(k.replace("_", "-").lower().encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "websocket", "path": "/talk", "headers": named, "query_string": b""}

    async def serve_it() -> dict[str, Any]:
        await shim(scope, receive, send)
        return {"type": "lifespan.shutdown"}

    # The one request of a server's whole life, at whose end the shim's threads end too.
    asyncio.run(shim({"type": "lifespan"}, serve_it, send))
    return sent[0]


@pytest.fixture
def dsn(club: Club) -> str:
    return club.dsn


def test_a_session_and_a_token_open_a_websocket(
    package: Package, issuer: Issuer, dsn: str
) -> None:
    token = f"Bearer {issuer.make_token(sub_of(ALICE))}"

    assert handshake(package, dsn, x_test_session=str(BOB))["subprotocol"] == str(BOB)
    assert handshake(package, dsn, authorization=token)["subprotocol"] == str(ALICE)
    assert handshake(package, dsn)["subprotocol"] is None


def test_whatever_is_refused_is_closed_before_it_opens(
    package: Package, issuer: Issuer, dsn: str
) -> None:
    good = f"Bearer {issuer.make_token(sub_of(ALICE))}"
    expired = f"Bearer {issuer.make_token(sub_of(ALICE), exp=1)}"
    for headers in (
        {"x_test_session": str(BOB), "authorization": good},
        {"authorization": expired},
        {"authorization": "Bearer foreign"},
    ):
        assert handshake(package, dsn, **headers) == {"type": "websocket.close", "code": 1008}
