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


def test_the_request_to_auther_uses_pkce(club: Club) -> None:
    with club.browser() as client:
        query = start(client)
    assert query["code_challenge_method"] == "S256"
    assert query["scope"].split()[0] == "openid"
    assert len(query["state"]) >= 43
    assert len(query["nonce"]) >= 43
    assert "verifier" not in str(query)


def test_the_login_counts(club: Club) -> None:
    door = ("auth_logins_total", "door=callback", "side=auther")
    before = club.counters().get(door, 0)
    with club.browser() as client:
        sign_in(club, client, ALICE)
    assert club.counters()[door] == before + 1


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


def test_a_legacy_login_ends_the_auther_cookie(club: Club) -> None:
    with club.browser() as client:
        # An expired cookie lets the form through; the sign-in then leaves one side only.
        client.cookies.set(TOKEN_COOKIE, club.token(ALICE, exp=1), domain="127.0.0.1")
        token_page = club.csrf_token(client, "/users/sign_in")
        client.cookies.set(TOKEN_COOKIE, club.token(ALICE, exp=1), domain="127.0.0.1")
        form = {
            "authenticity_token": token_page,
            "user[email]": club.people[BOB]["email"],
            "user[password]": club.people[BOB]["plaintext_password"],
        }
        assert client.post("/users/sign_in", data=form).status_code == 302
        assert TOKEN_COOKIE not in client.cookies
        assert client.get("/whoami", headers=XHR).json()["user"] == BOB


def test_the_applications_own_sign_out_ends_the_auther_cookie(club: Club) -> None:
    with club.browser() as client:
        sign_in(club, client, ALICE)
        token = club.csrf_token(client, "/members")
        client.request("DELETE", "/users/sign_out", data={"authenticity_token": token})
        assert TOKEN_COOKIE not in client.cookies
        assert client.get("/whoami", headers=XHR).json()["user"] is None


def test_logout_ends_both_sides_and_needs_a_csrf_token(club: Club) -> None:
    with club.browser(signed_in=ALICE) as client:
        client.cookies.set(TOKEN_COOKIE, club.token(ALICE), domain="127.0.0.1")
        assert client.post("/auth/auther/logout").status_code == 422
        assert client.get("/auth/auther/logout").status_code == 404
        token = club.csrf_token(client, "/members", form=False)
        answer = client.post("/auth/auther/logout", data={"authenticity_token": token})
        assert answer.status_code == 303
        assert TOKEN_COOKIE not in client.cookies
        assert client.get("/whoami", headers=XHR).json()["user"] is None


def test_the_conflict_page_names_nobody_and_clears_both(club: Club) -> None:
    with club.browser(signed_in=BOB) as client:
        client.cookies.set(TOKEN_COOKIE, club.token(ALICE), domain="127.0.0.1")
        page = client.get("/auth/conflict", headers=NAVIGATION)
        for user_id in (ALICE, BOB):
            assert club.people[user_id]["email"] not in page.text
        assert client.post("/auth/conflict").status_code == 422
        token = club.csrf_token(client, "/auth/conflict")
        answer = client.post("/auth/conflict", data={"authenticity_token": token})
        assert urlsplit(answer.headers["location"]).path == "/users/sign_in"
        assert TOKEN_COOKIE not in client.cookies
        assert client.get("/whoami", headers=XHR).json()["user"] is None


BAD_RETURN_PATHS = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "evil",
    "",
    "/ /evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/auth/conflict",
    "/" + "a" * 2000,
]


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


def test_a_state_of_another_browser(club: Club) -> None:
    with club.browser() as victim, club.browser() as attacker:
        url = at_auther(club, start(attacker), ALICE)
        failed(club, victim.get(url, headers=NAVIGATION), victim, "state")


@pytest.mark.parametrize("change", ["other", "cut", "empty", "absent", "list"])
def test_a_changed_state(club: Club, change: str) -> None:
    with club.browser() as client:
        url = httpx.URL(at_auther(club, start(client), ALICE))
        state = url.params["state"]
        other = state[:20] + ("A" if state[20] != "A" else "B") + state[21:]
        params = {"other": {"state": other}, "cut": {"state": state[:30]}, "empty": {"state": ""}}
        changed = url.copy_merge_params(params.get(change, {"state": state}))
        if change in {"absent", "list"}:
            changed = url.copy_remove_param("state")
        if change == "list":
            changed = changed.copy_add_param("state[]", state)
        failed(club, client.get(changed, headers=NAVIGATION), client, "state")


def test_a_callback_used_twice(club: Club) -> None:
    with club.browser() as client:
        url = at_auther(club, start(client), ALICE)
        assert client.get(url, headers=NAVIGATION).status_code == 303
        client.cookies.delete(TOKEN_COOKIE)
        assert client.get(url, headers=NAVIGATION).status_code == 400
        assert TOKEN_COOKIE not in client.cookies


def test_two_tabs_do_not_disturb_each_other(club: Club) -> None:
    with club.browser() as client:
        first, second = start(client, "/whoami?first"), start(client, "/whoami?second")
        for query, end in ((second, "second"), (first, "first")):
            answer = client.get(at_auther(club, query, ALICE), headers=NAVIGATION)
            assert answer.headers["location"].endswith(end)


def test_a_code_of_another_attempt_does_not_fit_the_verifier(club: Club) -> None:
    with club.browser() as client, club.browser() as other:
        mine = httpx.URL(at_auther(club, start(client), ALICE))
        theirs = httpx.URL(at_auther(club, start(other), BOB))
        mixed = mine.copy_set_param("code", theirs.params["code"])
        failed(club, client.get(mixed, headers=NAVIGATION), client, "code_refused")


TAMPERED = {
    "nonce": ({"nonce": "another"}, "nonce"),
    "no nonce": ({"nonce": None}, "nonce"),
    "audience": ({"aud": "another-client"}, "audience"),
    "issuer": ({"iss": "https://elsewhere.example"}, "issuer"),
    "expired": ({"exp": 1}, "expired"),
    "stranger": ({"sub": "nobody-known"}, "identity_unlinked"),
    "too large for anything": ({"picture": "x" * 20_000}, "too_large"),
}


@pytest.mark.parametrize(("claims", "reason"), TAMPERED.values(), ids=TAMPERED)
def test_an_id_token_that_does_not_fit(club: Club, claims: dict[str, str], reason: str) -> None:
    sub = claims.get("sub", sub_of(ALICE))
    club.issuer.id_token_overrides = {k: v for k, v in claims.items() if k != "sub"}
    with club.browser() as client:
        query = start(client)
        club.issuer.signed_in_sub = sub
        url = httpx.get(club.issuer.authorize_url, params=query).headers["location"]
        failed(club, client.get(url, headers=NAVIGATION), client, reason)


def test_a_locked_user_does_not_get_in(club: Club) -> None:
    club.sql("UPDATE users SET locked_at = now() AT TIME ZONE 'utc' WHERE id = %s", ALICE)
    with club.browser() as client:
        failed(club, sign_in(club, client, ALICE), client, "disabled")


def test_a_pinned_user_does_not_get_in(club: Club) -> None:
    club.sql(
        "UPDATE migrator_identity SET pinned_reason = 'second_factor' WHERE auther_id = %s",
        sub_of(ALICE),
    )
    with club.browser() as client:
        failed(club, sign_in(club, client, ALICE), client, "pinned")


def test_an_error_from_auther(club: Club) -> None:
    with club.browser() as client:
        state = start(client)["state"]
        params = {"state": state, "error": "access_denied"}
        answer = client.get("/auth/auther/callback", params=params, headers=NAVIGATION)
        failed(club, answer, client, "refused_by_auther")


def test_the_login_leads_to_the_form_in_stage_legacy(club: Club) -> None:
    with club.browser() as client:
        url = at_auther(club, start(client), CAROL)
        club.set_stage(Stage.LEGACY)
        for answer in (client.get(url), client.get("/auth/auther/start")):
            assert urlsplit(answer.headers["location"]).path == "/users/sign_in"
        assert TOKEN_COOKIE not in client.cookies


def test_a_login_in_stage_auther_moves_no_home_but_is_seen(club: Club) -> None:
    club.set_stage(Stage.AUTHER)
    with club.browser() as client:
        sign_in(club, client, CAROL)
        assert client.get("/whoami", headers=XHR).json()["user"] == CAROL
    assert club.sql(HOME, sub_of(CAROL)) == [("legacy", True)]
