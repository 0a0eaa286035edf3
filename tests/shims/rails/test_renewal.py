"""An id_token that has just ended is renewed on the way to a page, for the same user, three times in a row at most."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from migrator.core.stage import Stage
from tests.shims.rails.club import (
    ALICE,
    BOB,
    NAVIGATION,
    TOKEN_COOKIE,
    XHR,
    Club,
    sub_of,
)

RENEWALS = "auther_renewals"


def with_cookie(club: Club, client: httpx.Client, **claims: object) -> None:
    token = club.token(ALICE, **{"exp": 1, **claims})
    client.cookies.set(TOKEN_COOKIE, token, domain="127.0.0.1")


def hop(club: Club, client: httpx.Client, page: str = "/whoami?tab=2") -> str:
    """Go to a page, and from there to where the login begins; give the URL of the request to Auther."""
    answer = client.get(page, headers=NAVIGATION)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith("/auth/auther/start?")
    started = client.get(answer.headers["location"], headers=NAVIGATION)
    location: str = started.headers["location"]
    assert location.startswith(club.issuer.authorize_url)
    return location


def results(club: Club) -> dict[str, int]:
    return {
        series[1]: count
        for series, count in club.counters().items()
        if series[0] == "auth_renewals_total"
    }


def test_it_ends_at_the_page_with_a_new_cookie(club: Club) -> None:
    before = results(club)
    club.issuer.signed_in_sub = sub_of(ALICE)
    with club.browser() as client:
        with_cookie(club, client)
        back = httpx.get(hop(club, client)).headers["location"]
        answer = client.get(back, headers=NAVIGATION)
        assert urlsplit(answer.headers["location"])[2:4] == ("/whoami", "tab=2")
        assert client.get("/whoami", headers=XHR).json()["user"] == ALICE
        assert RENEWALS not in client.cookies
    assert results(club)["result=ok"] == before.get("result=ok", 0) + 1


def test_another_user_at_auther_ends_it_on_both_sides(club: Club) -> None:
    before = results(club)
    club.issuer.signed_in_sub = sub_of(BOB)
    with club.browser() as client:
        with_cookie(club, client)
        back = httpx.get(hop(club, client)).headers["location"]
        answer = client.get(back, headers=NAVIGATION)
        assert (answer.status_code, "other_user" in answer.text) == (403, True)
        assert TOKEN_COOKIE not in client.cookies
        assert client.get("/whoami", headers=XHR).json()["user"] is None
    assert results(club)["result=other_user"] == before.get("result=other_user", 0) + 1


def test_after_three_in_a_row_the_cookie_counts_as_absent(club: Club) -> None:
    with club.browser() as client:
        with_cookie(club, client)
        for _ in range(3):
            state = parse_qs(urlsplit(hop(club, client)).query)["state"][0]
            failed = client.get(
                "/auth/auther/callback", params={"state": state, "error": "x"}, headers=NAVIGATION
            )
            assert failed.status_code == 400
        answer = client.get("/whoami", headers=NAVIGATION)
        assert answer.json()["user"] is None
        assert TOKEN_COOKIE not in client.cookies


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"iss": "https://elsewhere.example"},
        {"sub": "nobody-known"},
        {"exp": None},
    ],
    ids=["audience", "issuer", "subject", "no end"],
)
def test_only_what_was_good_is_renewed(club: Club, claims: dict[str, object]) -> None:
    sub = {"sub": sub_of(ALICE), "exp": 1, **claims}
    with club.browser() as client:
        token = club.issuer.make_token(**sub)
        client.cookies.set(TOKEN_COOKIE, token, domain="127.0.0.1")
        location = client.get("/whoami", headers=NAVIGATION).headers.get("location", "")
        assert not location.startswith("/auth/auther/start?renew")
        assert TOKEN_COOKIE not in client.cookies


def test_nothing_is_renewed_over_somebody_elses_session(club: Club) -> None:
    with club.browser(signed_in=BOB) as client:
        with_cookie(club, client)
        assert client.get("/whoami", headers=NAVIGATION).json()["user"] == BOB
        assert TOKEN_COOKIE not in client.cookies


@pytest.mark.parametrize("case", ["script", "stage legacy", "signed out everywhere"])
def test_when_it_is_not_offered(club: Club, case: str) -> None:
    if case == "stage legacy":
        club.set_stage(Stage.LEGACY)
    if case == "signed out everywhere":
        club.sql(
            "UPDATE migrator_identity SET auth_valid_after = now() + interval '1 hour' WHERE auther_id = %s",
            sub_of(ALICE),
        )
    with club.browser() as client:
        with_cookie(club, client)
        answer = client.get("/whoami", headers=XHR if case == "script" else NAVIGATION)
        assert not answer.headers.get("location", "").startswith("/auth/auther/start?renew")
        assert TOKEN_COOKIE not in client.cookies


def test_a_link_to_the_start_renews_nothing_by_itself(club: Club) -> None:
    club.issuer.signed_in_sub = sub_of(BOB)
    with club.browser() as client:
        url = client.get("/auth/auther/start?renew=1", headers=NAVIGATION).headers["location"]
        answer = client.get(httpx.get(url).headers["location"], headers=NAVIGATION)
        assert answer.status_code == 303
        assert client.get("/whoami", headers=XHR).json()["user"] == BOB
