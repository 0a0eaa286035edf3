"""From a session at the application to one at Auther without a password, through the code flow to an id_token."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from tests.auther.plugin.door import ENVIRONMENT, Door, Rows, person
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, Client, start
from tests.parts.better_auth.browser import NAVIGATION

APP = "https://app.example"
CLIENT = Client("app", (f"{APP}/auth/callback",))
OTHER = Client("other", ("https://other.example/callback",))
PASSWORD = "correct horse"


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Attempt:
    """One login in one browser."""

    auther: BetterAuth
    door: Door
    browser: httpx.Client
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def nonce_hash(self) -> str:
        """Hop 1: to Auther and back to the application."""
        page = {"client_id": "app", "to": f"{APP}/auth/exchange?a=1", "state": "s 1"}
        answer = self.browser.get("/api/auth/migrator/exchange/start", params=page)
        assert answer.status_code == 302, answer.text
        location = urlsplit(answer.headers["location"])
        query = parse_qs(location.query)
        assert f"{location.scheme}://{location.netloc}{location.path}" == f"{APP}/auth/exchange"
        assert (query["a"], query["state"]) == (["1"], ["s 1"])
        return query["nonce_hash"][0]

    def ticket(self, user_id: str, **changed: Any) -> httpx.Response:
        """Hop 2, by the application's server."""
        body = {"id": user_id, "client_id": "app", "code_challenge": digest(self.verifier)}
        body = {"nonce_hash": "", **body, **changed}
        body["nonce_hash"] = body["nonce_hash"] or self.nonce_hash()
        return self.door.ask("EXCHANGE", "POST", "exchange/ticket", json=body)

    def redeem(self, ticket: str, **changed: str) -> httpx.Response:
        """Hop 3: the browser with the ticket."""
        request = {
            "response_type": "code", "client_id": "app", "redirect_uri": CLIENT.redirect_uris[0],
            "scope": "openid profile email", "state": "s2", "nonce": "n2",
            "code_challenge": digest(self.verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        params = {"ticket": ticket, **request, **changed}
        return self.browser.get("/api/auth/migrator/exchange/redeem", params=params)

    def id_token(self, answer: httpx.Response) -> dict[str, Any]:
        """The rest of the code flow."""
        assert answer.status_code == 302, answer.text
        answer = self.browser.get(answer.headers["location"])
        location = answer.headers["location"]
        assert location.startswith(CLIENT.redirect_uris[0]), location
        code = parse_qs(urlsplit(location).query)
        assert code["state"] == ["s2"]
        fields = {
            "grant_type": "authorization_code", "code": code["code"][0], "code_verifier": self.verifier,
            "client_id": "app", "redirect_uri": CLIENT.redirect_uris[0],
        }  # fmt: skip
        tokens = self.auther.request("POST", "/api/auth/oauth2/token", data=fields)
        assert tokens.status_code == 200, tokens.text
        claims: dict[str, Any] = jwt.decode(
            tokens.json()["id_token"], options={"verify_signature": False}
        )
        return claims

    def error(self, answer: httpx.Response) -> str:
        """The error, and what is said about it, with which the browser is sent back to the client."""
        assert answer.status_code == 302, answer.text
        assert answer.headers["location"].startswith(CLIENT.redirect_uris[0])
        assert (
            "set-cookie" not in answer.headers
            or "session_token" not in answer.headers["set-cookie"]
        )
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        assert query["state"] == ["s2"]
        return " ".join([*query["error"], *query.get("error_description", [])])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BetterAuth, Users]]:
    require("node")
    path = tmp_path_factory.mktemp("exchange") / "auther.db"
    with start(path, env=ENVIRONMENT, clients=[CLIENT, OTHER]) as running:
        yield running, Users(path)


@pytest.fixture
def browser(site: tuple[BetterAuth, Users]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site[0].base_url, headers=NAVIGATION, timeout=60) as client:
        yield client


@pytest.fixture
def attempt(site: tuple[BetterAuth, Users], browser: httpx.Client) -> Attempt:
    return Attempt(site[0], Door(site[0]), browser)


@pytest.fixture
def someone(attempt: Attempt) -> Rows:
    row = person(password=bcrypt_envelope(PASSWORD))
    assert attempt.door.upsert(row) == ["inserted"]
    return row


def test_a_session_without_a_password_up_to_the_id_token(attempt: Attempt, someone: Rows) -> None:
    user = someone["user"]
    answer = attempt.ticket(user["id"])
    assert answer.json()["expires_in_s"] == 60
    claims = attempt.id_token(attempt.redeem(answer.json()["ticket"]))
    assert (claims["sub"], claims["aud"], claims["nonce"]) == (user["id"], "app", "n2")
    assert claims["email"] == user["email"]
    session = attempt.browser.get("/api/auth/get-session").json()
    assert session["user"]["id"] == user["id"]


def test_the_cookie_is_for_this_browser_and_for_a_short_time(attempt: Attempt) -> None:
    page = {"client_id": "app", "to": f"{APP}/x"}
    first = attempt.browser.get("/api/auth/migrator/exchange/start", params=page)
    (cookie,) = first.headers.get_list("set-cookie")
    name, *attributes = cookie.split("; ")
    assert name.startswith("migrator_nonce=")
    assert {"Max-Age=300", "Path=/", "HttpOnly", "SameSite=Lax"} <= set(attributes)
    second = attempt.browser.get("/api/auth/migrator/exchange/start", params=page)
    assert second.headers["location"] == first.headers["location"]


def test_over_https_the_cookie_is_of_this_host_alone(tmp_path: Path) -> None:
    require("node")
    env = {**ENVIRONMENT, "BASE_URL": "https://auther.example"}
    with start(tmp_path / "auther.db", env=env, clients=[CLIENT]) as auther:
        page = {"client_id": "app", "to": f"{APP}/x"}
        answer = auther.request("GET", "/api/auth/migrator/exchange/start", params=page)
        (cookie,) = answer.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-migrator_nonce=")
        assert "Secure" in cookie.split("; ")


@pytest.mark.parametrize(
    ("client_id", "to"),
    [
        ("app", "https://elsewhere.example/x"), ("app", "https://app.example.evil/x"), ("app", "/x"),
        ("app", "http://app.example/x"), ("app", "javascript:alert(1)"), ("app", ""),
        ("other", f"{APP}/x"), ("nobody", f"{APP}/x"),
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(attempt: Attempt, client_id: str, to: str) -> None:
    page = {"client_id": client_id, "to": to}
    answer = attempt.browser.get("/api/auth/migrator/exchange/start", params=page)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "set-cookie" not in answer.headers


def test_a_ticket_is_good_once(attempt: Attempt, someone: Rows) -> None:
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    attempt.id_token(attempt.redeem(ticket))
    attempt.browser.cookies.delete("better-auth.session_token")
    assert attempt.error(attempt.redeem(ticket)) == "login_required"


def test_two_requests_that_both_read_the_ticket(
    attempt: Attempt, site: tuple[BetterAuth, Users], someone: Rows
) -> None:
    """As if the second had read it before the first deleted it: the row cannot be deleted here."""
    site[1].run(
        "CREATE TRIGGER keep BEFORE DELETE ON verification "
        "WHEN OLD.identifier LIKE 'migrator:ticket:%' BEGIN SELECT raise(IGNORE); END"
    )
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    attempt.id_token(attempt.redeem(ticket))
    attempt.browser.cookies.delete("better-auth.session_token")
    assert attempt.error(attempt.redeem(ticket)) == "login_required"
    site[1].run("DROP TRIGGER keep")


def test_a_ticket_ends_after_a_minute(
    attempt: Attempt, site: tuple[BetterAuth, Users], someone: Rows
) -> None:
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    (row,) = site[1].rows(
        "SELECT expires_at - created_at AS ms FROM verification WHERE identifier LIKE 'migrator:ticket:%' ORDER BY created_at DESC LIMIT 1"
    )
    assert int(str(row["ms"])) == 60_000
    site[1].run("UPDATE verification SET expires_at = 1 WHERE identifier LIKE 'migrator:ticket:%'")
    assert attempt.error(attempt.redeem(ticket)) == "login_required"


def test_tickets_are_stored_as_digests(
    attempt: Attempt, site: tuple[BetterAuth, Users], someone: Rows
) -> None:
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    assert ticket not in json.dumps(site[1].rows("SELECT * FROM verification"))
    assert ticket not in attempt.auther.log()


def test_a_ticket_in_another_browser_is_worth_nothing(attempt: Attempt, someone: Rows) -> None:
    """Not even when that browser has a nonce of its own: nobody is signed in as somebody else."""
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    with httpx.Client(base_url=attempt.auther.base_url, headers=NAVIGATION) as stranger:
        elsewhere = Attempt(attempt.auther, attempt.door, stranger, attempt.verifier)
        elsewhere.nonce_hash()
        assert elsewhere.error(elsewhere.redeem(ticket)) == "login_required"
        assert stranger.get("/api/auth/get-session").json() is None
    assert attempt.error(attempt.redeem(ticket)) == "login_required"


@pytest.mark.parametrize(
    "changed",
    [{"code_challenge": digest("another verifier")}, {"code_challenge_method": "plain"}],
)
def test_a_ticket_belongs_to_one_request(
    attempt: Attempt, someone: Rows, changed: dict[str, str]
) -> None:
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    assert attempt.error(attempt.redeem(ticket, **changed)) == "login_required"


def test_a_ticket_belongs_to_one_client(attempt: Attempt, someone: Rows) -> None:
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    answer = attempt.redeem(ticket, client_id="other", redirect_uri=OTHER.redirect_uris[0])
    assert answer.headers["location"].startswith(OTHER.redirect_uris[0] + "?error=login_required")


def test_without_a_redirect_url_of_the_client_there_is_no_redirect(
    attempt: Attempt, site: tuple[BetterAuth, Users], someone: Rows
) -> None:
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    site[1].run("UPDATE user SET banned = 1 WHERE id = ?", someone["user"]["id"])
    for value in ("no ticket", ticket):
        answer = attempt.redeem(value, redirect_uri="https://elsewhere.example/")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_not_over_the_session_of_another_person(attempt: Attempt, someone: Rows) -> None:
    other = person(password=bcrypt_envelope(PASSWORD))
    attempt.door.upsert(other)
    body = {"email": other["user"]["email"], "password": PASSWORD}
    attempt.browser.post(
        "/api/auth/sign-in/email", json=body, headers={"Origin": attempt.auther.base_url}
    )
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    answer = attempt.redeem(ticket)
    assert attempt.error(answer) == "access_denied other_session"
    assert other["user"]["id"] not in answer.headers["location"]
    assert attempt.browser.get("/api/auth/get-session").json()["user"]["id"] == other["user"]["id"]


def test_a_session_of_the_same_person_is_kept(attempt: Attempt, someone: Rows) -> None:
    attempt.redeem(attempt.ticket(someone["user"]["id"]).json()["ticket"])
    before = attempt.browser.cookies["better-auth.session_token"]
    attempt.id_token(attempt.redeem(attempt.ticket(someone["user"]["id"]).json()["ticket"]))
    assert attempt.browser.cookies["better-auth.session_token"] == before


@pytest.mark.parametrize(
    ("column", "code"), [("banned = 1", "banned"), ("email_verified = 0", "unverified")]
)
def test_not_for_who_may_not_sign_in(
    attempt: Attempt, site: tuple[BetterAuth, Users], someone: Rows, column: str, code: str
) -> None:
    name = someone["user"]["id"]
    ticket = attempt.ticket(name).json()["ticket"]
    site[1].run(f"UPDATE user SET {column} WHERE id = ?", name)
    answer = attempt.ticket(name)
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert attempt.error(attempt.redeem(ticket)) == f"access_denied {code}"
    assert attempt.browser.get("/api/auth/get-session").json() is None


def test_strangers_all_get_the_same_answer(
    attempt: Attempt, site: tuple[BetterAuth, Users], someone: Rows
) -> None:
    foreign = site[1].add(bcrypt_envelope(PASSWORD))
    ticket = attempt.ticket(someone["user"]["id"]).json()["ticket"]
    site[1].run("UPDATE user SET role = 'admin' WHERE id = ?", someone["user"]["id"])
    answers = [attempt.ticket(name) for name in (foreign.id, "nobody", someone["user"]["id"])]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (404, "not_ours")
    }
    assert attempt.error(attempt.redeem(ticket)) == "login_required"


@pytest.mark.parametrize(
    "changed", [{"nonce_hash": "short"}, {"code_challenge": "x"}, {"client_id": None}]
)
def test_a_request_that_makes_no_sense(
    attempt: Attempt, someone: Rows, changed: dict[str, Any]
) -> None:
    assert attempt.ticket(someone["user"]["id"], **changed).status_code == 400


def test_a_login_that_was_given_up_does_not_come_back(attempt: Attempt, someone: Rows) -> None:
    """better-auth remembers it in a cookie, and would go on with that one instead."""
    abandoned = {
        "response_type": "code", "client_id": "app", "redirect_uri": CLIENT.redirect_uris[0],
        "scope": "openid", "state": "old", "code_challenge": digest("old"), "code_challenge_method": "S256",
    }  # fmt: skip
    assert (
        "/sign-in"
        in attempt.browser.get("/api/auth/oauth2/authorize", params=abandoned).headers["location"]
    )
    assert "oidc_login_prompt" in attempt.browser.cookies
    claims = attempt.id_token(
        attempt.redeem(attempt.ticket(someone["user"]["id"]).json()["ticket"])
    )
    assert claims["sub"] == someone["user"]["id"]
