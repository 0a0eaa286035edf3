"""Account states: who is refused, and what a token request leaves untouched."""

import pytest

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

LOCK = "UPDATE users SET locked_at = now() AT TIME ZONE 'utc' WHERE id = %s"
LOCK_BY_ATTEMPTS = (
    "UPDATE users SET locked_at = now() AT TIME ZONE 'utc', failed_attempts = 5 WHERE id = %s"
)
DELETE = "UPDATE users SET deleted_at = now() WHERE id = %s"
UNCONFIRM = "UPDATE users SET confirmed_at = NULL WHERE id = %s"
ROW = (
    "SELECT failed_attempts, sign_in_count, current_sign_in_at, last_sign_in_at, "
    "current_sign_in_ip, remember_created_at, locked_at, updated_at FROM users WHERE id = %s"
)


def bearer(club: Club, user_id: int, **claims: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {club.token(user_id, **claims)}", **XHR}


@pytest.mark.parametrize(
    "state", [LOCK, DELETE, UNCONFIRM], ids=["locked", "deleted", "unconfirmed"]
)
def test_a_disabled_users_header_is_refused(club: Club, state: str) -> None:
    club.sql(state, ALICE)
    answer = club.browser().get("/whoami", headers=bearer(club, ALICE))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})


@pytest.mark.parametrize(
    "state", [LOCK, DELETE, UNCONFIRM], ids=["locked", "deleted", "unconfirmed"]
)
def test_a_disabled_users_cookie_is_refused_beside_a_session(club: Club, state: str) -> None:
    club.sql(state, ALICE)
    with club.browser(signed_in=BOB) as client:
        client.cookies.set(TOKEN_COOKIE, club.token(ALICE), domain="127.0.0.1")
        assert client.get("/whoami", headers=XHR).json() == {"error": "invalid_token"}


def test_a_disabled_users_cookie_leads_a_person_to_the_login(club: Club) -> None:
    club.sql(LOCK, ALICE)
    with club.browser() as client:
        client.cookies.set(TOKEN_COOKIE, club.token(ALICE), domain="127.0.0.1")
        answer = client.get("/members", headers=NAVIGATION)
        assert (answer.status_code, answer.headers["location"]) == (303, "/users/sign_in")


def test_a_locked_users_token_signs_nobody_else_out(club: Club) -> None:
    club.sql(LOCK, ALICE)
    club.sql("UPDATE users SET remember_created_at = now() WHERE id = %s", ALICE)
    before = club.sql(ROW, ALICE)
    with club.browser(signed_in=BOB) as client:
        refused = client.get("/whoami", headers=bearer(club, ALICE))
        assert refused.json() == {"error": "invalid_token"}
        assert client.get("/whoami", headers=XHR).json()["user"] == BOB
    assert club.sql(ROW, ALICE) == before


@pytest.mark.parametrize("place", ["header", "cookie"])
def test_a_token_request_writes_nothing_to_the_user(club: Club, place: str) -> None:
    club.sql("UPDATE users SET failed_attempts = 3 WHERE id = %s", CAROL)
    before = club.sql(ROW, CAROL)
    with club.browser() as client:
        headers = bearer(club, CAROL) if place == "header" else {}
        headers["Accept"] = "*/*"
        if place == "cookie":
            client.cookies.set(TOKEN_COOKIE, club.token(CAROL), domain="127.0.0.1")
        for _ in range(3):
            assert client.get("/members", headers=headers).status_code == 200
    assert club.sql(ROW, CAROL) == before


def test_a_token_request_makes_no_session(club: Club) -> None:
    answer = club.browser().get("/whoami", headers=bearer(club, ALICE))
    assert answer.json()["user"] == ALICE
    assert "set-cookie" not in answer.headers


def test_a_token_request_does_not_touch_the_browsers_session(club: Club) -> None:
    with club.browser(signed_in=ALICE) as client:
        token = club.csrf_token(client, "/members", form=False)
        assert client.get("/whoami", headers=bearer(club, ALICE)).json()["user"] == ALICE
        form = {"authenticity_token": token, "text": "hello"}
        assert client.post("/notes", data=form).status_code == 201


def test_five_wrong_passwords_lock_however_many_tokens_come_between(club: Club) -> None:
    with club.browser() as client:
        for _ in range(5):
            form = {
                "authenticity_token": club.csrf_token(client, "/users/sign_in"),
                "user[email]": club.people[CAROL]["email"],
                "user[password]": "wrong",
            }
            client.post("/users/sign_in", data=form)
            club.browser().get("/whoami", headers=bearer(club, CAROL))
    assert club.sql("SELECT locked_at IS NOT NULL FROM users WHERE id = %s", CAROL) == [(True,)]


def test_a_lock_by_failed_attempts_does_not_reach_a_moved_user(club: Club) -> None:
    club.sql(LOCK_BY_ATTEMPTS, ALICE)
    client = club.browser()
    assert client.get("/whoami", headers=bearer(club, ALICE)).status_code == 401
    club.sql("UPDATE migrator_identity SET home = 'auther' WHERE auther_id = %s", sub_of(ALICE))
    assert client.get("/whoami", headers=bearer(club, ALICE)).json()["user"] == ALICE
    club.sql(LOCK, ALICE)
    club.sql("UPDATE users SET failed_attempts = 0 WHERE id = %s", ALICE)
    assert client.get("/whoami", headers=bearer(club, ALICE)).status_code == 401


def test_a_pinned_users_token_is_refused_and_the_session_is_not(club: Club) -> None:
    club.sql(
        "UPDATE migrator_identity SET pinned_reason = 'second_factor' WHERE auther_id = %s",
        sub_of(ALICE),
    )
    with club.browser(signed_in=ALICE) as client:
        assert client.get("/whoami", headers=bearer(club, ALICE)).status_code == 401
        assert client.get("/whoami", headers=XHR).json()["user"] == ALICE
    assert (
        "auth_requests_total",
        "outcome=refused",
        "path=auther",
        "reason=pinned",
        "synthetic=0",
    ) in club.counters()


def test_tokens_from_before_a_sign_out_everywhere_are_refused(club: Club) -> None:
    club.sql(
        "UPDATE migrator_identity SET auth_valid_after = now() + interval '10 seconds' "
        "WHERE auther_id = %s",
        sub_of(ALICE),
    )
    client = club.browser()
    assert client.get("/whoami", headers=bearer(club, ALICE)).status_code == 401
    assert client.get("/whoami", headers=bearer(club, ALICE, iat=None)).status_code == 401


@pytest.mark.parametrize("sub", ["2", "User:2", "member2@example.org", "2abc"])
def test_a_sub_that_looks_like_a_user_is_nobody(club: Club, sub: str) -> None:
    headers = {"Authorization": f"Bearer {club.issuer.make_token(sub)}", **XHR}
    answer = club.browser().get("/whoami", headers=headers)
    assert (answer.status_code, answer.json()) == (409, {"error": "identity_unlinked"})


@pytest.mark.parametrize("user_pk", ["2abc", " 2", "2.0", "99999999999999999999", "02"])
def test_an_identity_whose_key_is_no_number_leads_to_nobody(club: Club, user_pk: str) -> None:
    club.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('User', %s, 'odd')",
        user_pk,
    )
    try:
        headers = {"Authorization": f"Bearer {club.issuer.make_token('odd')}", **XHR}
        assert club.browser().get("/whoami", headers=headers).status_code == 401
    finally:
        club.sql("DELETE FROM migrator_identity WHERE auther_id = 'odd'")


def test_another_models_identity_is_not_ours(club: Club) -> None:
    club.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('AdminUser', '2', 'admin-2')"
    )
    try:
        headers = {"Authorization": f"Bearer {club.issuer.make_token('admin-2')}", **XHR}
        assert club.browser().get("/whoami", headers=headers).status_code == 409
    finally:
        club.sql("DELETE FROM migrator_identity WHERE source = 'AdminUser'")
