"""The cache of Auther's keys: fetched once for all, never flooded, never replaced by rubbish."""

import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.conformance.issuing import JwksMode
from migrator.conformance.signing_keys import SigningKey
from tests.shims.rails.club import ALICE, BOB, NAVIGATION, TOKEN_COOKIE, XHR, Club

DRIVER = Path(__file__).with_name("key_set_driver.rb")
DAY_S = 24 * 3600


@dataclass
class KeySet:
    """The generated class in a process of its own."""

    process: "subprocess.Popen[str]"
    issuer: Issuer

    def ask(self, command: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def find(self, kid: str | None = None) -> str:
        return self.ask(f"find {kid or self.issuer.keys[-1].kid}")

    def advance(self, seconds: float) -> None:
        assert self.ask(f"advance {seconds}") == "ok"


@pytest.fixture(scope="module")
def driver(running_club: Club) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        ["ruby", str(DRIVER)],
        cwd=running_club.app.folder,
        env=running_club.app.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait(10)


@pytest.fixture
def key_set(driver: "subprocess.Popen[str]") -> Iterator[KeySet]:
    """A key set that has fetched nothing yet, and its issuer."""
    with Issuer(slow_s=6) as issuer:
        fresh = KeySet(driver, issuer)
        assert fresh.ask(f"new {issuer.jwks_url}") == "ok"
        yield fresh


def test_one_fetch_serves_all(key_set: KeySet) -> None:
    assert [key_set.find() for _ in range(5)] == ["found"] * 5
    assert key_set.issuer.jwks_fetches == 1


def test_forty_first_requests_fetch_once(key_set: KeySet) -> None:
    assert key_set.ask(f"threads 40 {key_set.issuer.keys[0].kid}") == "found 40"
    assert key_set.issuer.jwks_fetches == 1


def test_random_key_ids_cause_one_fetch_a_cooldown(key_set: KeySet) -> None:
    key_set.find()
    assert key_set.find(secrets.token_hex(8)) == "rejected unknown_key"
    for _ in range(100):
        assert key_set.find(secrets.token_hex(8)).startswith("unavailable")
        assert key_set.find() == "found"
    assert key_set.issuer.jwks_fetches == 2
    key_set.advance(31)
    assert key_set.find(secrets.token_hex(8)) == "rejected unknown_key"
    assert key_set.issuer.jwks_fetches == 3


def test_a_key_id_does_not_get_a_cooldown_of_its_own(key_set: KeySet) -> None:
    key_set.find()
    answers = [key_set.find("the-same") for _ in range(3)]
    assert answers[0] == "rejected unknown_key"
    assert {answer.split()[0] for answer in answers[1:]} == {"unavailable"}


def test_a_rotated_key_is_found_at_once(key_set: KeySet) -> None:
    key_set.find()
    old, new = key_set.issuer.keys[-1].kid, key_set.issuer.rotate().kid
    assert (key_set.find(new), key_set.find(old)) == ("found", "found")
    assert key_set.issuer.jwks_fetches == 2


def test_a_rotation_during_a_flood_is_found_after_the_cooldown(key_set: KeySet) -> None:
    key_set.find()
    key_set.find("random")
    new = key_set.issuer.rotate().kid
    answer, retry_after_s = key_set.find(new).split()
    assert (answer, 0 < int(retry_after_s) <= 30) == ("unavailable", True)
    key_set.advance(31)
    assert key_set.find(new) == "found"


def test_a_removed_key_is_forgotten_with_the_next_set(key_set: KeySet) -> None:
    key_set.find()
    old = key_set.issuer.keys[0].kid
    key_set.issuer.rotate(keep_old=False)
    key_set.advance(301)
    assert key_set.find(old).startswith("rejected")


BROKEN: list[JwksMode] = [
    "down",
    "error",
    "garbage",
    "empty",
    "huge",
    "redirect",
    "duplicate_kid",
    "slow",
]


@pytest.mark.parametrize("mode", BROKEN)
def test_nothing_good_yet(key_set: KeySet, mode: JwksMode) -> None:
    key_set.issuer.jwks_mode = mode
    assert key_set.find().startswith("unavailable")
    assert key_set.issuer.jwks_fetches == 1
    key_set.issuer.jwks_mode = "ok"
    key_set.advance(6)
    assert key_set.find() == "found"


@pytest.mark.parametrize("mode", [mode for mode in BROKEN if mode != "slow"])
def test_a_failed_refetch_keeps_the_good_set_for_a_day(key_set: KeySet, mode: JwksMode) -> None:
    key_set.find()
    key_set.issuer.jwks_mode = mode
    key_set.advance(400)
    assert key_set.find() == "found"
    assert key_set.find("other").startswith("unavailable")
    key_set.advance(DAY_S - 500)
    assert key_set.find() == "found"
    key_set.advance(200)
    assert key_set.find().startswith("unavailable")


def test_while_it_is_down_it_is_asked_every_few_seconds_only(key_set: KeySet) -> None:
    key_set.issuer.jwks_mode = "down"
    for _ in range(20):
        key_set.find()
    assert key_set.issuer.jwks_fetches == 1


@pytest.fixture
def unknown_key(club: Club) -> Iterator[SigningKey]:
    """A new key of the issuer that the application cannot fetch."""
    kept = club.issuer.keys
    club.issuer.jwks_mode = "down"
    yield club.issuer.rotate()
    club.issuer.keys, club.issuer.jwks_mode = kept, "ok"


def test_the_application_answers_503_and_keeps_the_cookie(
    club: Club, unknown_key: SigningKey
) -> None:
    bearer = {"Authorization": f"Bearer {club.token(ALICE, key=unknown_key)}", **XHR}
    with club.browser(signed_in=BOB) as client:
        unavailable(client.get("/whoami", headers=bearer))
        client.cookies.set(TOKEN_COOKIE, club.token(BOB, key=unknown_key), domain="127.0.0.1")
        unavailable(client.get("/whoami", headers=XHR))
        unavailable(client.get("/members", headers=NAVIGATION))
        assert TOKEN_COOKIE in client.cookies
        client.cookies.delete(TOKEN_COOKIE)
        assert client.get("/whoami", headers=XHR).json()["user"] == BOB


def unavailable(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()) == (503, {"error": "verification_unavailable"})
    assert int(answer.headers["retry-after"]) > 0
