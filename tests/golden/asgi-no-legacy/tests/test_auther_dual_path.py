"""The decisions that must never change. Needs pytest; nothing has to run."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auther_dual_path import SETTINGS, AccountState, AutherMiddleware, Person
from auther_dual_path.settings import Environment

KEY = Ed25519PrivateKey.generate()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(sub: str = "alice", **claims: Any) -> str:
    shape = {"iss": SETTINGS.issuers[0], "aud": SETTINGS.audiences[0], "sub": sub}
    body = {**shape, "iat": int(time.time() * 1000), "exp": int(time.time()) + 600, **claims}
    head = {"alg": "EdDSA", "kid": "k"}
    signing_input = ".".join(b64(json.dumps(part).encode()) for part in (head, body))
    return f"{signing_input}.{b64(KEY.sign(signing_input.encode()))}"


async def jwks() -> bytes:
    x = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": b64(x)}
    return json.dumps({"keys": [key]}).encode()


async def no_jwks() -> bytes:
    raise OSError


class Everybody:
    """Knows `alice` and `locked`."""

    async def by_auther_id(self, auther_id: str) -> Person | None:
        state = {"alice": AccountState.ACTIVE, "locked": AccountState.LOCKED}.get(auther_id)
        return None if state is None else Person(auther_id, auther_id, state=state)

    async def create(self, claims: Any) -> str:
        return "email_taken"

    async def signed_in(self, auther_id: str) -> None: ...

    async def keep(self, handle_hash: str, sealed: str, expires_at_s: float) -> None: ...

    async def find(self, handle_hash: str) -> str | None:
        return None

    async def discard(self, handle_hash: str) -> None: ...

    async def beat(self, facts: Any) -> None: ...


async def application(scope: Any, receive: Any, send: Any) -> None:
    user = scope["auther.user"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": (user.user_pk if user else "-").encode()})


def ask(*, bearer: str = "", cookie: str = "", keys: Any = jwks) -> tuple[int, str]:
    shim = AutherMiddleware(
        application,
        people=Everybody(),
        environment=Environment(cookie_secret="a" * 32),
        fetch_jwks=keys,
    )
    named = f"{SETTINGS.cookie('auther_id_token')}={cookie}"
    headers = [(b"authorization", f"Bearer {bearer}".encode())] if bearer else []
    headers += [(b"cookie", named.encode())] if cookie else []
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "query_string": b""}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(shim(scope, None, send))  # type: ignore[arg-type]
    return sent[0]["status"], sent[1]["body"].decode()


def test_a_token_signs_in_by_header_and_by_cookie() -> None:
    assert ask() == (200, "-")
    assert ask(bearer=token()) == (200, "alice")
    assert ask(cookie=token()) == (200, "alice")


@pytest.mark.parametrize(
    "spoilt",
    [{"exp": 1}, {"aud": "another"}, {"exp": None}, {"sub": None}, {"nbf": 4_000_000_000}],
)
def test_a_bad_token_is_refused(spoilt: dict[str, Any]) -> None:
    assert ask(bearer=token(**spoilt)) == (401, '{"error": "invalid_token"}')


def test_a_cookie_that_has_ended_is_as_absent() -> None:
    assert ask(cookie=token(exp=1)) == (200, "-")


def test_a_token_that_was_touched_is_refused() -> None:
    head, body, signature = token().split(".")
    other = token("bob").split(".")[1]
    assert ask(bearer=f"{head}.{other}.{signature}")[0] == 401
    assert ask(bearer=f"{head}.{body}.{signature}=")[0] == 401


def test_another_issuers_bearer_is_foreign() -> None:
    bearer = token(iss="https://elsewhere.example")
    assert ask(bearer=bearer) == (401, '{"error": "foreign_bearer"}')


def test_a_locked_account_is_refused() -> None:
    assert ask(bearer=token("locked")) == (401, '{"error": "invalid_token"}')


def test_nobody_is_linked_by_guessing() -> None:
    assert ask(bearer=token("mallory")) == (409, '{"error": "identity_unlinked"}')


def test_when_nobody_can_verify_the_answer_is_503() -> None:
    assert ask(bearer=token(), keys=no_jwks) == (503, '{"error": "verification_unavailable"}')
