"""The decisions that must never change. Needs neither a database nor a network."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, SimpleTestCase

from auther_dual_path.assembly import Assembly
from auther_dual_path.middleware import AutherMiddleware
from auther_dual_path.model import AccountState, Person
from auther_dual_path.settings import SETTINGS, Environment

KEY = Ed25519PrivateKey.generate()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(sub: str = "alice", **claims: Any) -> str:
    shape = {"iss": SETTINGS.issuers[0], "aud": SETTINGS.audiences[0], "sub": sub}
    body = {**shape, "iat": int(time.time() * 1000), "exp": int(time.time()) + 600, **claims}
    head = {"alg": "EdDSA", "kid": "k"}
    signing_input = ".".join(b64(json.dumps(part).encode()) for part in (head, body))
    return f"{signing_input}.{b64(KEY.sign(signing_input.encode()))}"


def jwks() -> bytes:
    x = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": b64(x)}
    return json.dumps({"keys": [key]}).encode()


def no_jwks() -> bytes:
    raise OSError


class Everybody:
    """Knows `alice` and `locked`."""

    def by_auther_id(self, auther_id: str) -> Person | None:
        state = {"alice": AccountState.ACTIVE, "locked": AccountState.LOCKED}.get(auther_id)
        return None if state is None else Person(auther_id, auther_id, state=state)

    def create(self, claims: Any) -> str:
        return "email_taken"

    def signed_in(self, auther_id: str) -> None: ...

    def keep(self, handle_hash: str, sealed: str, expires_at_s: float) -> None: ...

    def find(self, handle_hash: str) -> str | None:
        return None

    def discard(self, handle_hash: str) -> None: ...

    def beat(self, facts: Any) -> None: ...


def whoami(request: HttpRequest) -> HttpResponse:
    user = request.auther_user
    return HttpResponse(user.user_pk if user else "-")


class Decisions(SimpleTestCase):
    def ask(self, *, bearer: str = "", cookie: str = "", keys: Any = jwks) -> tuple[int, str]:
        parts = Assembly(
            people=Everybody(),
            detector=None,
            cookie_secret="a" * 32,
            environment=Environment(),
            fetch_jwks=keys,
        )
        request = RequestFactory().get("/")
        if bearer:
            request.META["HTTP_AUTHORIZATION"] = f"Bearer {bearer}"
        if cookie:
            request.META["HTTP_COOKIE"] = f"{SETTINGS.cookie('auther_id_token')}={cookie}"
        answer: Any = AutherMiddleware(whoami, parts=parts)(request)
        return answer.status_code, answer.content.decode()

    def test_a_token_signs_in_by_header_and_by_cookie(self) -> None:
        self.assertEqual(self.ask(), (200, "-"))
        self.assertEqual(self.ask(bearer=token()), (200, "alice"))
        self.assertEqual(self.ask(cookie=token()), (200, "alice"))

    def test_a_bad_token_is_refused(self) -> None:
        for spoilt in (
            {"exp": 1},
            {"aud": "another"},
            {"exp": None},
            {"sub": None},
            {"nbf": 4_000_000_000},
        ):
            with self.subTest(spoilt):
                answer = self.ask(bearer=token(**spoilt))
                self.assertEqual(answer, (401, '{"error": "invalid_token"}'))

    def test_a_cookie_that_has_ended_is_as_absent(self) -> None:
        self.assertEqual(self.ask(cookie=token(exp=1)), (200, "-"))

    def test_a_token_that_was_touched_is_refused(self) -> None:
        head, body, signature = token().split(".")
        other = token("bob").split(".")[1]
        self.assertEqual(self.ask(bearer=f"{head}.{other}.{signature}")[0], 401)
        self.assertEqual(self.ask(bearer=f"{head}.{body}.{signature}=")[0], 401)

    def test_another_issuers_bearer_is_foreign(self) -> None:
        answer = self.ask(bearer=token(iss="https://elsewhere.example"))
        self.assertEqual(answer, (401, '{"error": "foreign_bearer"}'))

    def test_a_locked_account_is_refused(self) -> None:
        answer = self.ask(bearer=token("locked"))
        self.assertEqual(answer, (401, '{"error": "invalid_token"}'))

    def test_nobody_is_linked_by_guessing(self) -> None:
        answer = self.ask(bearer=token("mallory"))
        self.assertEqual(answer, (409, '{"error": "identity_unlinked"}'))

    def test_when_nobody_can_verify_the_answer_is_503(self) -> None:
        answer = self.ask(bearer=token(), keys=no_jwks)
        self.assertEqual(answer, (503, '{"error": "verification_unavailable"}'))
