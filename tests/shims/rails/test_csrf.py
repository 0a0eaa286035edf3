"""CSRF protection follows the credential that was used."""

import pytest

from tests.shims.rails.club import ALICE, BOB, TOKEN_COOKIE, Club

NOTE = {"text": "hello"}


def test_a_header_needs_no_token(club: Club) -> None:
    headers = {"Authorization": f"Bearer {club.token(ALICE)}"}
    answer = club.browser().post("/notes", data=NOTE, headers=headers)
    assert (answer.status_code, answer.json()["by"]) == (201, ALICE)


def test_a_session_needs_its_token(club: Club) -> None:
    with club.browser(signed_in=BOB) as client:
        assert client.post("/notes", data=NOTE).status_code == 422
        token = club.csrf_token(client, "/members", form=False)
        answer = client.post("/notes", data={**NOTE, "authenticity_token": token})
        assert (answer.status_code, answer.json()["by"]) == (201, BOB)


def test_the_auther_cookie_needs_the_token_of_the_page(club: Club) -> None:
    with club.browser() as client:
        client.cookies.set(TOKEN_COOKIE, club.token(ALICE), domain="127.0.0.1")
        assert client.post("/notes", data=NOTE).status_code == 422
        token = club.csrf_token(client, "/members", form=False)
        answer = client.post("/notes", data={**NOTE, "authenticity_token": token})
        assert (answer.status_code, answer.json()["by"]) == (201, ALICE)


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic eDp5", "Negotiate abc"])
def test_a_header_that_was_not_accepted_skips_nothing(club: Club, header: str) -> None:
    with club.browser(signed_in=BOB) as client:
        answer = client.post("/notes", data=NOTE, headers={"Authorization": header})
        assert answer.status_code in {401, 422}


def test_a_header_beside_the_cookie_counts_as_the_header(club: Club) -> None:
    with club.browser() as client:
        client.cookies.set(TOKEN_COOKIE, club.token(BOB), domain="127.0.0.1")
        headers = {"Authorization": f"Bearer {club.token(ALICE)}"}
        answer = client.post("/notes", data=NOTE, headers=headers)
        assert (answer.status_code, answer.json()["by"]) == (201, ALICE)
