"""The doctor at an Auther that has been mended to match its guide, where no real one is so yet."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from migrator.auther.live.doctor.asking import Asker
from migrator.auther.live.doctor.interface import Account, Finding, Setting, State
from migrator.auther.live.doctor.registry import QUESTIONS, examine
from migrator.auther.live.doctor.visit import Visit
from migrator.conformance.signing_keys import SigningKey
from migrator.core.clock import SystemClock
from tests.parts.serving import Answer, serving

if TYPE_CHECKING:
    from collections.abc import Callable

REDIRECT = "http://localhost:4000/cb"
EDDSA, RS256 = SigningKey(), generate_private_key(public_exponent=65537, key_size=2048)
FORM = b'<form><input type="email" name="email"></form>'


@dataclass
class Guide:
    """Answers as the guide says; the nonce of the last code goes into the next token."""

    key: SigningKey | RSAPrivateKey
    base_url: str = ""
    nonce: str = ""

    def answer(self, path: str) -> Answer:
        url = urlsplit(path)
        query = dict(parse_qsl(url.query))
        route = url.path.removeprefix("/api/auth")
        if route == "/oauth2/authorize":
            return self._code(query)
        if route in {"/sign-up", "/forgot-password"}:
            return 200, {"Content-Type": "text/html"}, FORM
        body = self._bodies().get(route)
        headers = {"Content-Type": "application/json", "Set-Cookie": "session=x; Path=/"}
        return (404, {}, b"") if body is None else (200, headers, json.dumps(body()).encode())

    def _bodies(self) -> dict[str, Callable[[], object]]:
        return {
            "/.well-known/openid-configuration": lambda: {
                "issuer": self.base_url,
                "end_session_endpoint": f"{self.base_url}/end",
            },
            "/jwks": lambda: {"keys": [self._public()]},
            "/sign-in/email": lambda: {"user": {"id": "7"}},
            "/oauth2/token": lambda: {"id_token": self._id_token(), "refresh_token": "r"},
            "/get-session": lambda: {"user": {"id": "7"}},
            "/api-key/exchange": lambda: {"token": "t", "expiresIn": 900},
            "/check-permission": lambda: {"allowed": False},
            "/sign-up/email": lambda: {"code": "INVALID_EMAIL"},
            "/request-password-reset": lambda: {"status": True},
        }

    def _code(self, query: dict[str, str]) -> Answer:
        self.nonce = query["nonce"]
        said = "error=login_required" if query.get("prompt") == "none" else "code=c"
        return 302, {"Location": f"{REDIRECT}?{said}&state={query['state']}"}, b""

    def _public(self) -> object:
        if isinstance(self.key, SigningKey):
            return self.key.jwk()
        return jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True) | {
            "kid": "rsa",
            "alg": "RS256",
        }

    def _id_token(self) -> str:
        now = int(time.time())
        claims: dict[str, object] = {"iss": self.base_url, "aud": "shop", "sub": "7"}
        claims |= {"nonce": self.nonce, "iat": now, "exp": now + 900}
        claims |= {"permissions": {"shop": ["editor"]}}
        if isinstance(self.key, SigningKey):
            return self.key.sign(claims)
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "rsa"})


def look(key: SigningKey | RSAPrivateKey) -> dict[str, Finding]:
    guide = Guide(key)
    with serving(guide.answer) as url:
        guide.base_url = url
        setting = Setting(
            base_url=url,
            api=f"{url}/api/auth",
            client_id="shop",
            redirect_uri=REDIRECT,
            issuers=(url,),
            audiences=("shop",),
            canary=Account("canary@example.com", "correct horse"),
            api_key="k" * 64,
            accounts_linked=False,
            account_index=True,
            deliveries=(True, "signed over the body"),
        )
        with closing(Asker(url, request_s=5)) as asker:
            return examine(Visit(setting, asker, SystemClock()), advance=lambda _what: None)


@pytest.fixture(scope="module")
def found() -> dict[str, Finding]:
    return look(EDDSA)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("issuer", "http://127.0.0.1:"),
        ("algorithm", "keys sign with EdDSA"),
        ("client", "a code and tokens for the canary"),
        ("consent", "the client is trusted"),
        ("id_token", "EdDSA, "),
        ("iat_unit", "seconds"),
        ("id_token_lifetime", "15m"),
        ("permissions", "there, 1 entries"),
        ("renewal", "the refresh grant returns an id_token"),
        ("bearer", "get-session takes the id_token as a bearer"),
        ("fetched_authorize", "302, as for a navigation"),
        ("silent_authorize", "error=login_required, as OIDC says"),
        ("exchange", "a token for 900 s"),
        ("check_permission", "answers"),
        ("webhooks", "signed over the body"),
        ("end_session", "end_session_endpoint http"),
        ("account_index", "on account.user_id"),
        ("sign_up", "Auther's page /sign-up"),
        ("forgot_password", "Auther's page /forgot-password"),
    ],
)
def test_what_the_guide_promises_is_found(found: dict[str, Finding], code: str, text: str) -> None:
    assert (found[code].state, text in found[code].found) == (State.FOUND, True), found[code]


def test_what_a_mended_auther_lacks_is_the_plugin_and_a_limit(found: dict[str, Finding]) -> None:
    assert set(found) == set(QUESTIONS)
    rest = {code for code, one in found.items() if one.state is not State.FOUND}
    assert {code for code in rest if found[code].blocks} == {"legacy_passwords"}
    assert found["limits"].state is State.MISSING


def test_rs256_as_the_guide_pins_it_holds_the_login_since_the_shims_refuse_it() -> None:
    found = look(RS256)
    for code, text in (
        ("algorithm", "keys sign with RS256"),
        ("id_token", "no published Ed25519 key made its signature"),
    ):
        assert (found[code].state, found[code].blocks) == (State.MISSING, True), code
        assert text in found[code].found
