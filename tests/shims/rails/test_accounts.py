"""Account states: who is refused, and what a token request leaves untouched."""

import pytest

from tests.shims.rails.club import (
    ALICE,
    BOB,
    CAROL,
    TOKEN_COOKIE,
    XHR,
    Club,
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
