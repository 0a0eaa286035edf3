"""What of the renewal cannot be seen from outside in every application; the conformance suite has the rest."""

import httpx

from tests.shims.rails.club import ALICE, BOB, NAVIGATION, TOKEN_COOKIE, XHR, Club, sub_of

RENEWALS = "auther_renewals"


def with_cookie(club: Club, client: httpx.Client) -> None:
    client.cookies.set(TOKEN_COOKIE, club.token(ALICE, exp=1), domain="127.0.0.1")


def test_a_success_forgets_the_attempts(club: Club) -> None:
    club.issuer.signed_in_sub = sub_of(ALICE)
    with club.browser() as client:
        for _ in range(4):
            with_cookie(club, client)
            start = client.get("/whoami", headers=NAVIGATION).headers["location"]
            to_auther = client.get(start, headers=NAVIGATION).headers["location"]
            assert client.cookies[RENEWALS] == "1"
            client.get(httpx.get(to_auther).headers["location"], headers=NAVIGATION)
            assert RENEWALS not in client.cookies


def test_who_was_signed_out_everywhere_is_not_renewed(club: Club) -> None:
    club.sql(
        "UPDATE migrator_identity SET auth_valid_after = now() + interval '1 hour' WHERE auther_id = %s",
        sub_of(ALICE),
    )
    with club.browser() as client:
        with_cookie(club, client)
        assert client.get("/whoami", headers=NAVIGATION).json()["user"] is None
        assert TOKEN_COOKIE not in client.cookies


def test_the_applications_own_form_is_not_renewed_away(club: Club) -> None:
    with club.browser() as client:
        with_cookie(club, client)
        assert client.get("/users/sign_in", headers=NAVIGATION).status_code == 200


def test_a_link_to_the_start_renews_nothing_by_itself(club: Club) -> None:
    club.issuer.signed_in_sub = sub_of(BOB)
    with club.browser() as client:
        url = client.get("/auth/auther/start?renew=1", headers=NAVIGATION).headers["location"]
        answer = client.get(httpx.get(url).headers["location"], headers=NAVIGATION)
        assert answer.status_code == 303
        assert client.get("/whoami", headers=XHR).json()["user"] == BOB
