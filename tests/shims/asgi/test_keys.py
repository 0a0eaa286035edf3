"""The key set: fetched rarely, kept while good, never replaced by something worse."""

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from migrator.conformance.issuer import Issuer
from migrator.conformance.signing_keys import SigningKey
from tests.parts.asgi import prepare
from tests.shims.asgi.club import ALICE, PATIENCE_S, Club
from tests.shims.asgi.package import Package

FAULTS = ["down", "error", "slow", "garbage", "empty", "huge", "redirect", "duplicate_kid"]


@dataclass
class Keys:
    """A key set with a clock that the test moves."""

    package: Package
    issuer: Issuer
    at_s: float = 1000.0
    fetched: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        module = self.package.module("keys")
        self.unknown = module.UnknownKeyError
        self.unavailable = self.package.module("model").VerificationUnavailableError
        self.set = module.KeySet(
            replace(self.package.settings, jwks_timeout_s=1),
            on_fetch=lambda result: self.fetched.update([result]),
            monotonic=lambda: self.at_s,
        )

    async def outcome(self, kid: str | None = None) -> str:
        """Look a key up: found, unknown or the seconds to wait."""
        try:
            await self.set.find(kid or self.issuer.keys[-1].kid)
        except self.unknown:
            return "unknown"
        except self.unavailable as error:
            return f"unavailable {error.retry_after_s:g}"
        return "found"

    def ask(self, *kids: str | None) -> list[str]:
        """Look keys up at the same time, by default the newest one."""

        async def all_of_them() -> list[str]:
            return list(await asyncio.gather(*(self.outcome(kid) for kid in kids or (None,))))

        return asyncio.run(all_of_them())


@pytest.fixture
def keys(package: Package, issuer: Issuer) -> Keys:
    return Keys(package, issuer)


def test_the_first_set_tells_whether_a_token_that_has_ended_was_good(
    package: Package, issuer: Issuer, keys: Keys
) -> None:
    """A process that has just begun must know: only such a token is renewed."""
    tokens = package.module("tokens")
    verifier = tokens.TokenVerifier(keys.package.settings, keys.set)

    def claims_of(token: str) -> Any:
        with pytest.raises(tokens.TokenRefusedError) as refusal:
            asyncio.run(verifier.verify(tokens.SentToken(token)))
        assert refusal.value.reason == "expired"
        return refusal.value.claims

    assert claims_of(issuer.make_token("alice", exp=1))["sub"] == "alice"
    assert claims_of(issuer.make_token("alice", exp=1, key=SigningKey())) is None
    assert keys.fetched == {"ok": 1}


@pytest.mark.parametrize("fault", FAULTS)
def test_without_a_good_set_nothing_can_be_said(keys: Keys, fault: Any) -> None:
    keys.issuer.jwks_mode = fault

    assert keys.ask() == ["unavailable 5"]
    assert keys.fetched == {"failed": 1}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_fetch_never_replaces_a_good_set(keys: Keys, fault: Any) -> None:
    assert keys.ask() == ["found"]
    keys.issuer.jwks_mode = fault
    keys.at_s += 31

    assert keys.ask(secrets.token_hex(8)) == ["unavailable 30"]
    assert keys.ask() == ["found"]
    assert keys.fetched == {"ok": 1, "failed": 1}


def test_an_outage_is_tried_again_after_a_short_pause(keys: Keys) -> None:
    keys.issuer.jwks_mode = "down"
    keys.ask()
    keys.issuer.jwks_mode = "ok"
    assert keys.ask() == ["unavailable 5"]
    keys.at_s += 5

    assert keys.ask() == ["found"]


def test_random_kids_cause_one_fetch_per_cooldown(keys: Keys) -> None:
    keys.ask()
    for _ in range(3):
        keys.at_s += 30.5
        answers = Counter(keys.ask(*(secrets.token_hex(8) for _ in range(200))))
        assert answers["unknown"] == 1
        assert sum(answers.values()) == 200
        assert keys.ask() == ["found"]

    assert keys.issuer.jwks_fetches == 4


def test_many_first_requests_share_one_fetch(keys: Keys) -> None:
    assert keys.ask(*[None] * 50) == ["found"] * 50
    assert keys.issuer.jwks_fetches == 1


def test_a_request_that_goes_away_does_not_take_the_fetch_with_it(keys: Keys) -> None:
    keys.issuer.jwks_mode, keys.issuer.slow_s = "slow", 0.3

    async def one_leaves() -> str:
        first = asyncio.create_task(keys.outcome())
        await asyncio.sleep(0.05)
        second = asyncio.create_task(keys.outcome())
        await asyncio.sleep(0.05)
        first.cancel()
        return await second

    assert asyncio.run(one_leaves()) == "found"


def test_a_new_key_is_found_after_the_cooldown(keys: Keys) -> None:
    keys.ask()
    keys.issuer.rotate()
    assert keys.ask()[0].startswith("unavailable")
    keys.at_s += 30

    assert keys.ask() == ["found"]


def test_a_withdrawn_key_is_no_longer_good(keys: Keys) -> None:
    old = keys.issuer.keys[-1].kid
    keys.ask()
    keys.issuer.rotate(keep_old=False)
    keys.at_s += 31
    keys.ask()
    keys.at_s += 31

    assert keys.ask(old) == ["unknown"]


def test_an_ageing_set_is_refreshed_without_anybody_waiting(keys: Keys) -> None:
    keys.ask()
    keys.at_s += 601
    keys.issuer.jwks_mode, keys.issuer.slow_s = "slow", 0.2

    async def ask_then_wait() -> tuple[str, float]:
        began = time.perf_counter()
        answer = await keys.outcome()
        took_s = time.perf_counter() - began
        deadline_s = time.monotonic() + PATIENCE_S
        while keys.fetched["ok"] < 2 and time.monotonic() < deadline_s:
            await asyncio.sleep(0.05)
        return answer, took_s

    answer, took_s = asyncio.run(ask_then_wait())
    assert (answer, keys.fetched) == ("found", {"ok": 2})
    assert took_s < 0.15


def test_a_set_is_not_kept_for_ever(keys: Keys) -> None:
    keys.ask()
    keys.issuer.jwks_mode = "down"
    keys.at_s += 86_399
    assert keys.ask() == ["found"]
    keys.at_s += 32

    assert keys.ask() == ["unavailable 5"]


@pytest.mark.parametrize(
    "spoil",
    [{"use": "enc"}, {"kid": ""}, {"kid": None}, {"alg": "RS256"}, {"kty": "oct", "alg": None}],
)
def test_a_key_that_is_not_for_this_is_left_out(package: Package, spoil: dict[str, Any]) -> None:
    good, bad = SigningKey().jwk(), {**SigningKey().jwk(), **spoil}
    body = json.dumps({"keys": [good, bad]}).encode()

    assert list(package.module("key_documents").parse_keys(body, ("EdDSA",))) == [good["kid"]]


# Over HTTP


@pytest.fixture
def cut_off(club: Club) -> Iterator[Club]:
    """A process of its own whose issuer is down from the start."""
    with Issuer(jwks_mode="down") as issuer:
        app = prepare(club.dsn, issuer)
        app.start()
        yield Club(app, issuer, club.dsn)
        app.remove()


def test_while_nobody_can_verify_the_answer_is_503_and_the_cookie_stays(cut_off: Club) -> None:
    browser = cut_off.browser(token=cut_off.token(ALICE))
    answers = [cut_off.get(bearer=cut_off.token(ALICE)), browser.get("/me")]

    for answer in answers:
        assert answer.status_code == 503
        assert answer.json() == {"error": "verification_unavailable"}
        assert 1 <= int(answer.headers["retry-after"]) <= 30
    assert "set-cookie" not in answers[1].headers
    assert cut_off.browser(signed_in=ALICE).get("/me").json()["user"] == str(ALICE)
    assert cut_off.requests_counted()["auther", "unavailable", "verification_unavailable"] == 2


def test_a_token_that_is_past_anyway_needs_no_keys(cut_off: Club) -> None:
    assert cut_off.get(bearer=cut_off.token(ALICE, exp=1)).status_code == 401
