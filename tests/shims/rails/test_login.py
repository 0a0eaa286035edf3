"""The browser's login through Auther, from the button to the cookie, and everything that bends it."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from migrator.core.stage import Stage
from tests.shims.rails.club import (
    ALICE,
    BOB,
    CAROL,
    NAVIGATION,
    TOKEN_COOKIE,
    XHR,
    Club,
    sub_of,
)

HOME = "SELECT home, last_auther_at IS NOT NULL FROM migrator_identity WHERE auther_id = %s"


def start(client: httpx.Client, return_to: str = "/whoami") -> dict[str, str]:
    """Follow the button; give the query of the authorization request."""
    answer = client.get("/auth/auther/start", params={"return_to": return_to}, headers=NAVIGATION)
    assert answer.status_code == 303
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


def at_auther(club: Club, query: dict[str, str], user_id: int) -> str:
    """Sign in at the issuer; give the callback's URL."""
    club.issuer.signed_in_sub = sub_of(user_id)
    answer = httpx.get(club.issuer.authorize_url, params=query)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def sign_in(
    club: Club, client: httpx.Client, user_id: int, return_to: str = "/whoami"
) -> httpx.Response:
    return client.get(at_auther(club, start(client, return_to), user_id), headers=NAVIGATION)


def test_a_login_ends_at_the_return_path_with_a_cookie(club: Club) -> None:
    with club.browser() as client:
        answer = sign_in(club, client, ALICE, "/whoami?tab=2")
        assert urlsplit(answer.headers["location"])[2:4] == ("/whoami", "tab=2")
        cookie = next(
            c for c in answer.headers.get_list("set-cookie") if c.startswith(TOKEN_COOKIE)
        )
        assert {"httponly", "samesite=lax", "path=/"} <= {
            p.strip().lower() for p in cookie.split(";")
        }
        assert client.get("/whoami", headers=XHR).json()["user"] == ALICE
    assert club.sql(HOME, sub_of(ALICE)) == [("auther", True)]


@pytest.mark.parametrize("stage", [Stage.DUAL, Stage.DRAIN])
def test_completing_it_ends_the_legacy_session(club: Club, stage: Stage) -> None:
    with club.browser() as client:
        club.sign_in(client, ALICE, remember=True)
        assert "remember_user_token" in client.cookies
        client.get("/cart", params={"item": "teapot"})
        club.set_stage(stage)
        sign_in(club, client, ALICE)
        assert "remember_user_token" not in client.cookies
        assert client.get("/whoami", headers=XHR).json() == {"user": ALICE, "cart": "teapot"}
        del client.cookies[TOKEN_COOKIE]
        assert client.get("/whoami", headers=XHR).json() == {"user": None, "cart": "teapot"}
    remembered = club.sql("SELECT remember_created_at IS NOT NULL FROM users WHERE id = %s", ALICE)
    assert remembered == [(True,)], "other browsers must stay remembered"


def test_completing_it_ends_another_persons_session_as_a_whole(club: Club) -> None:
    with club.browser() as client:
        club.sign_in(client, BOB)
        client.get("/cart", params={"item": "teapot"})
        sign_in(club, client, ALICE)
        assert client.get("/whoami", headers=XHR).json() == {"user": ALICE, "cart": None}


def test_the_applications_own_sign_out_ends_the_auther_cookie(club: Club) -> None:
    with club.browser() as client:
        sign_in(club, client, ALICE)
        token = club.csrf_token(client, "/members")
        client.request("DELETE", "/users/sign_out", data={"authenticity_token": token})
        assert TOKEN_COOKIE not in client.cookies
        assert client.get("/whoami", headers=XHR).json()["user"] is None


# Beside those of the conformance suite.
BAD_RETURN_PATHS = ["", "/ /evil.example", "/auth/conflict", "/" + "a" * 2000]


@pytest.mark.parametrize("return_to", BAD_RETURN_PATHS)
def test_a_return_path_elsewhere_ends_at_home(club: Club, return_to: str) -> None:
    with club.browser() as client:
        location = sign_in(club, client, ALICE, return_to).headers["location"]
        assert location == f"{club.app.base_url}/"


def failed(club: Club, answer: httpx.Response, client: httpx.Client, reason: str) -> None:
    assert answer.status_code in {400, 403, 409, 502, 503}, answer.status_code
    assert f"<code>{reason}</code>" in answer.text
    assert TOKEN_COOKIE not in client.cookies
    assert client.get("/whoami", headers=XHR).json()["user"] is None
    assert club.sql(HOME, sub_of(ALICE)) == [("legacy", False)]


def test_a_state_as_a_list(club: Club) -> None:
    with club.browser() as client:
        url = httpx.URL(at_auther(club, start(client), ALICE))
        changed = url.copy_remove_param("state").copy_add_param("state[]", url.params["state"])
        failed(club, client.get(changed, headers=NAVIGATION), client, "state")


def test_a_login_in_stage_auther_moves_no_home_but_is_seen(club: Club) -> None:
    club.set_stage(Stage.AUTHER)
    with club.browser() as client:
        sign_in(club, client, CAROL)
        assert client.get("/whoami", headers=XHR).json()["user"] == CAROL
    assert club.sql(HOME, sub_of(CAROL)) == [("legacy", True)]
