"""The cache of verified tokens: what it may never do."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from migrator.conformance.issuer import Issuer
from tests.shims.asgi.package import Package


class Verifier:
    """The generated verifier with a key set and a clock of the test's own."""

    def __init__(self, package: Package, issuer: Issuer, **settings: Any) -> None:
        baked = replace(package.settings, **settings)
        self.body = json.dumps(issuer.key_set()).encode()
        self.now_s = 1_900_000_000.0
        self.tokens = package.module("tokens")
        self.keys = package.module("keys").KeySet(
            baked, fetch=self.fetch, monotonic=lambda: self.now_s
        )
        self.verifier = self.tokens.TokenVerifier(baked, self.keys, now=lambda: self.now_s)

    async def fetch(self) -> bytes:
        return self.body

    def verify(self, token: str) -> Any:
        return asyncio.run(self.verifier.verify(self.tokens.SentToken(token)))

    def knows(self, token: str) -> bool:
        async def look() -> bool:
            known = self.verifier.known(self.tokens.SentToken(token)) is not None
            await asyncio.sleep(0.01)  # a refresh in the background
            return known

        return asyncio.run(look())


@pytest.fixture
def verifier(package: Package, issuer: Issuer) -> Verifier:
    return Verifier(package, issuer)


def token(issuer: Issuer, verifier: Verifier, **claims: Any) -> str:
    return issuer.make_token(
        "alice", iat=int(verifier.now_s), exp=int(verifier.now_s) + 600, **claims
    )


def test_a_token_is_known_from_its_verification_to_its_end(
    verifier: Verifier, issuer: Issuer
) -> None:
    good = token(issuer, verifier)
    assert not verifier.knows(good)
    verifier.verify(good)
    verifier.now_s += 599
    assert verifier.knows(good)
    verifier.now_s += 1
    assert not verifier.knows(good), "not even within the leeway: that is looked at again"


def test_a_refused_token_is_not_known(verifier: Verifier, issuer: Issuer) -> None:
    bad = token(issuer, verifier, aud="another-client")
    with pytest.raises(verifier.tokens.TokenRefusedError):
        verifier.verify(bad)
    assert not verifier.knows(bad)


def test_a_key_that_is_gone_takes_its_tokens_along(verifier: Verifier, issuer: Issuer) -> None:
    good = token(issuer, verifier)
    verifier.verify(good)
    verifier.now_s += 599
    assert verifier.knows(good)
    issuer.rotate(keep_old=False)
    verifier.body = json.dumps(issuer.key_set()).encode()
    late = token(issuer, verifier)
    verifier.verify(late)
    assert verifier.knows(late)
    assert not verifier.knows(good)


def test_an_unchanged_key_set_keeps_what_it_verified(verifier: Verifier, issuer: Issuer) -> None:
    good = issuer.make_token("alice", iat=int(verifier.now_s), exp=int(verifier.now_s) + 3600)
    verifier.verify(good)
    verifier.now_s += 601
    assert verifier.knows(good), "the set is fetched again beside this look"
    assert verifier.knows(good)


def test_it_holds_no_more_than_it_may(package: Package, issuer: Issuer) -> None:
    small = Verifier(package, issuer, verified_tokens=2)
    tokens = [token(issuer, small, nonce=str(number)) for number in range(3)]
    for one in tokens:
        small.verify(one)
    assert [small.knows(one) for one in tokens] == [False, True, True]


def test_nobody_can_change_the_claims_of_the_next_request(
    verifier: Verifier, issuer: Issuer
) -> None:
    claims = verifier.verify(token(issuer, verifier))
    with pytest.raises(TypeError):
        claims["sub"] = "bob"
