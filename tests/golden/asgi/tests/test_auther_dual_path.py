"""The decisions that must never change. Needs pytest; nothing has to run."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auther_dual_path import SETTINGS, AccountState, DualPathMiddleware, LegacySession, Person
from auther_dual_path.settings import Environment

KEY = Ed25519PrivateKey.generate()
ENDED = {"locked": AccountState.LOCKED}


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


class Sessions:
    async def holds_user(self, scope: Any) -> bool:
        return b"x-test-session" in dict(scope["headers"])

    async def read(self, scope: Any) -> LegacySession | None:
        return LegacySession(dict(scope["headers"])[b"x-test-session"].decode())

    def fixture(self) -> Any:
        return {"headers": [(b"x-test-session", b"nobody")]}

    async def forget(self, scope: Any) -> Sequence[tuple[bytes, bytes]]:
        return []


class Everybody:
    """Knows `alice` and `bob` and whoever is locked, under the same key on both sides."""

    async def by_auther_id(self, auther_id: str) -> Person | None:
        if auther_id not in {"alice", "bob", *ENDED}:
            return None
        state = ENDED.get(auther_id, AccountState.ACTIVE)
        return Person(auther_id, auther_id, "legacy", pinned=False, valid_after_s=None, state=state)

    async def by_user_pk(self, user_pk: str) -> Person | None:
        return await self.by_auther_id(user_pk)

    async def create(self, claims: Any) -> str:
        return "email_taken"

    async def not_written_back(self, auther_id: str) -> bool:
        return False

    async def signed_in(self, auther_id: str, *, moves_home: bool) -> None: ...

    async def shadow_checked(self, user_pk: str, *, matched: bool, reason: str) -> None: ...

    async def keep(self, handle_hash: str, sealed: str, expires_at_s: float) -> None: ...

    async def find(self, handle_hash: str) -> str | None:
        return None

    async def discard(self, handle_hash: str) -> None: ...

    def seen_on_legacy(self, user_pk: str) -> None: ...

    def beat(self, facts: Any) -> None: ...

    async def process_began(self, process: Any) -> bool:
        return False

    async def process_ended(self, process: Any, counts: str) -> None: ...

    def signed_out_everywhere(self) -> frozenset[str]:
        return frozenset()


async def application(scope: Any, receive: Any, send: Any) -> None:
    user = scope["auther.user"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": (user.user_pk if user else "-").encode()})


def ask(*, bearer: str = "", session: str = "", keys: Any = jwks) -> tuple[int, str]:
    shim = DualPathMiddleware(
        application,
        legacy=Sessions(),
        people=Everybody(),
        settings=replace(SETTINGS, baked_stage="dual"),
        environment=Environment(cookie_secret="a" * 32),
        fetch_jwks=keys,
    )
    headers = [(b"authorization", f"Bearer {bearer}".encode())] if bearer else []
    headers += [(b"x-test-session", session.encode())] if session else []
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "query_string": b""}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(shim(scope, None, send))  # type: ignore[arg-type]
    return sent[0]["status"], sent[1]["body"].decode()


def test_sessions_and_tokens_are_accepted_side_by_side() -> None:
    assert ask() == (200, "-")
    assert ask(session="bob") == (200, "bob")
    assert ask(bearer=token()) == (200, "alice")
    assert ask(bearer=token("bob"), session="bob") == (200, "bob")


def test_a_token_beside_somebody_elses_session_is_a_conflict() -> None:
    assert ask(bearer=token(), session="bob") == (401, '{"error": "auth_conflict"}')


@pytest.mark.parametrize(
    "spoilt",
    [{"exp": 1}, {"aud": "another"}, {"exp": None}, {"sub": None}, {"nbf": 4_000_000_000}],
)
def test_a_bad_token_never_falls_through_to_the_session(spoilt: dict[str, Any]) -> None:
    assert ask(bearer=token(**spoilt), session="bob") == (401, '{"error": "invalid_token"}')


def test_a_token_that_was_touched_is_refused() -> None:
    head, body, signature = token().split(".")
    other = token("bob").split(".")[1]
    assert ask(bearer=f"{head}.{other}.{signature}")[0] == 401
    assert ask(bearer=f"{head}.{body}.{signature}=")[0] == 401


def test_another_issuers_bearer_is_foreign() -> None:
    bearer = token(iss="https://elsewhere.example")
    assert ask(bearer=bearer, session="bob") == (401, '{"error": "foreign_bearer"}')


def test_a_locked_account_is_refused() -> None:
    assert ask(bearer=token("locked")) == (401, '{"error": "invalid_token"}')


def test_nobody_is_linked_by_guessing() -> None:
    assert ask(bearer=token("mallory")) == (409, '{"error": "identity_unlinked"}')


def test_when_nobody_can_verify_the_answer_is_503() -> None:
    answer = (503, '{"error": "verification_unavailable"}')
    assert ask(bearer=token(), session="bob", keys=no_jwks) == answer
