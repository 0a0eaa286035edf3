"""id_tokens that no cookie can hold are kept in the database, sealed with what only the browser has."""

import hashlib
import time

import httpx

from tests.shims.rails.club import ALICE, NAVIGATION, TOKEN_COOKIE, XHR, Club
from tests.shims.rails.test_login import sign_in

ROWS = "SELECT handle_hash, sealed, expires_at > now() FROM migrator_token"


def signed_in(club: Club, client: httpx.Client) -> str:
    club.issuer.id_token_overrides = {"picture": "x" * 3000}
    assert sign_in(club, client, ALICE).status_code == 303
    return str(client.cookies[TOKEN_COOKIE])


def test_the_cookie_is_a_handle_and_the_row_opens_with_it_alone(club: Club) -> None:
    club.sql("DELETE FROM migrator_token")
    with club.browser() as client:
        handle = signed_in(club, client)
        assert (handle[:2], len(handle)) == ("s.", 45)
        assert client.get("/whoami", headers=XHR).json()["user"] == ALICE
        ((name, sealed, live),) = club.sql(ROWS)
        assert (name, live) == (hashlib.sha256(handle.encode()).hexdigest(), True)
        club.sql("UPDATE migrator_token SET sealed = %s", sealed[:-4] + "AAAA")
        assert client.get("/whoami", headers=XHR).status_code == 401


def test_logout_and_another_login_leave_no_row(club: Club) -> None:
    club.sql("DELETE FROM migrator_token")
    club.sql("INSERT INTO migrator_token VALUES ('old', 'x', now() - interval '1 second')")
    with club.browser() as client:
        first = signed_in(club, client)
        assert signed_in(club, client) != first
        assert len(club.sql(ROWS)) == 1
        token = club.csrf_token(client, "/members", form=False)
        client.post("/auth/auther/logout", data={"authenticity_token": token})
        assert club.sql(ROWS) == []
        client.cookies.set(TOKEN_COOKIE, first, domain="127.0.0.1")
        assert client.get("/whoami", headers=XHR).json()["user"] is None
        assert TOKEN_COOKIE not in client.cookies


def test_a_handle_is_no_bearer(club: Club) -> None:
    with club.browser() as client:
        handle = signed_in(club, client)
        client.cookies.clear()
        answer = client.get("/whoami", headers={"Authorization": f"Bearer {handle}", **XHR})
        assert (answer.status_code, answer.json()["error"]) == (401, "foreign_bearer")


def test_it_ends_with_the_token(club: Club) -> None:
    with club.browser() as client:
        club.issuer.id_token_overrides = {"picture": "x" * 3000, "exp": int(time.time()) + 3600}
        sign_in(club, client, ALICE)
        club.sql("UPDATE migrator_token SET expires_at = now()")
        assert client.get("/whoami", headers=NAVIGATION).json()["user"] is None
        assert TOKEN_COOKIE not in client.cookies
