"""Ending sessions and tickets for a new password, for the application's server."""

import httpx
import pytest

from tests.auther.plugin.door import Door, Rows, person
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.parts.better_auth import BetterAuth

PASSWORD = "correct horse"


@pytest.fixture
def someone(door: Door) -> Rows:
    """A user of ours."""
    row = person(password=bcrypt_envelope(PASSWORD))
    assert door.upsert(row) == ["inserted"]
    return row


def signed_in(auther: BetterAuth, token: str) -> bool:
    headers = {"Cookie": f"better-auth.session_token={token}"}
    answer = auther.request("GET", "/api/auth/get-session", headers=headers)
    return answer.json() is not None


def session_cookie(auther: BetterAuth, email: str) -> str:
    body = {"email": email, "password": PASSWORD}
    return auther.request("POST", "/api/auth/sign-in/email", json=body).cookies[
        "better-auth.session_token"
    ]


def test_logging_out_ends_all_sessions_of_one_user(
    auther: BetterAuth, door: Door, someone: Rows
) -> None:
    other = person(password=bcrypt_envelope(PASSWORD))
    door.upsert(other)
    mine = [session_cookie(auther, someone["user"]["email"]) for _ in range(2)]
    theirs = session_cookie(auther, other["user"]["email"])
    assert all(signed_in(auther, token) for token in (*mine, theirs))
    assert door.post("LOGOUT", "logout", {"id": someone["user"]["id"]}) == {"ended": 2}
    assert [signed_in(auther, token) for token in (*mine, theirs)] == [False, False, True]
    assert door.post("LOGOUT", "logout", {"id": someone["user"]["id"]}) == {"ended": 0}


def test_a_reset_ticket_sets_a_password_once(
    auther: BetterAuth, door: Door, users: Users, someone: Rows
) -> None:
    body = {"id": someone["user"]["id"], "redirect_to": "/new-password?x=1&y"}
    ticket = door.post("RESET", "reset-ticket", body)
    page = httpx.get(ticket["url"])
    assert (page.status_code, page.headers["location"]) == (
        302, f"{auther.base_url}/new-password?x=1&y=&token={ticket['token']}",
    )  # fmt: skip
    new = {"token": ticket["token"], "newPassword": "battery staple"}
    assert auther.request("POST", "/api/auth/reset-password", json=new).status_code == 200
    assert auther.request("POST", "/api/auth/reset-password", json=new).status_code == 400
    assert auther.sign_in(someone["user"]["email"], "battery staple").status == 200


def test_a_reset_ticket_ends_after_15_minutes(
    auther: BetterAuth, door: Door, users: Users, someone: Rows
) -> None:
    token = door.post("RESET", "reset-ticket", {"id": someone["user"]["id"]})["token"]
    name = f"reset-password:{token}"
    (row,) = users.rows(
        "SELECT expires_at - created_at AS ms FROM verification WHERE identifier = ?", name
    )
    assert 14 * 60_000 < int(str(row["ms"])) <= 15 * 60_000
    users.run("UPDATE verification SET expires_at = 1 WHERE identifier = ?", name)
    new = {"token": token, "newPassword": "battery staple"}
    assert auther.request("POST", "/api/auth/reset-password", json=new).status_code == 400


@pytest.mark.parametrize(("capability", "path"), [("LOGOUT", "logout"), ("RESET", "reset-ticket")])
def test_strangers_all_get_the_same_answer(
    door: Door, users: Users, capability: str, path: str
) -> None:
    foreign = users.add("x")
    answers = {
        (answer.status_code, answer.content)
        for name in (foreign.id, "nobody", "", None)
        for answer in [door.ask(capability, "POST", path, json={"id": name})]
    }
    ((status, content),) = answers
    assert (status, b'"not_ours"' in content) == (404, True)
