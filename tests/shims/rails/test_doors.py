"""Where a session gains a user: open in legacy and dual, closed in drain and auther."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from migrator.core.stage import Stage
from tests.shims.rails.club import ALICE, BOB, CAROL, NAVIGATION, XHR, Club, sub_of

STAGE_CHANGE = str(Path(__file__).with_name("stage_change_driver.rb"))
RESET = "UPDATE users SET reset_password_token = %s, reset_password_sent_at = now() AT TIME ZONE 'utc' WHERE id = %s"


def who(client: object) -> int | None:
    return client.get("/whoami", headers=XHR).json()["user"]  # type: ignore[attr-defined]


def test_the_form_returns_to_the_page_that_was_asked_for(club: Club) -> None:
    with club.browser() as client:
        assert client.get("/members", headers=NAVIGATION).status_code == 302
        token = club.csrf_token(client, "/users/sign_in")
        club.set_stage(Stage.DRAIN)
        form = {
            "authenticity_token": token,
            "user[email]": club.people[CAROL]["email"],
            "user[password]": club.people[CAROL]["plaintext_password"],
        }
        answer = client.post("/users/sign_in", data=form, headers={"Accept": "text/html"})
        assert answer.headers["location"] == "/auth/auther/start?return_to=%2Fmembers"


def remembered(club: Club, client: object, user_id: int) -> None:
    """Leave the browser with the remember-me cookie and no session."""
    club.sign_in(client, user_id, remember=True)  # type: ignore[arg-type]
    client.cookies.delete("_club_session")  # type: ignore[attr-defined]
    assert "remember_user_token" in client.cookies  # type: ignore[attr-defined]


def test_remember_me_leads_to_auther_in_drain(club: Club) -> None:
    with club.browser() as client, club.browser() as elsewhere:
        remembered(club, client, CAROL)
        remembered(club, elsewhere, CAROL)
        club.set_stage(Stage.DRAIN)
        answer = client.get("/members", headers=NAVIGATION)
        assert answer.headers["location"] == "/auth/auther/start?return_to=%2Fmembers"
        assert who(client) is None
        club.set_stage(Stage.DUAL)
        assert who(elsewhere) == CAROL


def test_a_stage_that_changes_within_a_request_makes_no_browser_forget(club: Club) -> None:
    with club.browser() as client:
        remembered(club, client, CAROL)
        cookie = f"remember_user_token={client.cookies['remember_user_token']}"
        done = club.app.run("bundle", "exec", "ruby", STAGE_CHANGE, cookie)
        answer = json.loads(done.stdout.splitlines()[-1])
        assert json.loads(answer["body"])["user"] == CAROL
        assert "remember_user_token=;" not in answer["cookies"]


def test_a_password_reset_is_a_door_too(club: Club) -> None:
    digest = club.app.run(
        "bundle",
        "exec",
        "ruby",
        "-r./config/environment",
        "-e",
        'puts "=" + Devise.token_generator.digest(User, :reset_password_token, "raw-token")',
    )
    stored = digest.stdout.split("=")[-1].strip()
    password = club.people[BOB]["plaintext_password"]
    with club.browser() as client:
        token = club.csrf_token(client, "/users/sign_in")
        club.sql(RESET, stored, CAROL)
        before = club.sql("SELECT encrypted_password FROM users WHERE id = %s", CAROL)
        club.set_stage(Stage.DRAIN)
        form = {
            "authenticity_token": club.csrf_token(
                client, "/users/password/edit?reset_password_token=raw-token"
            )
            or token,
            "user[reset_password_token]": "raw-token",
            "user[password]": password,
            "user[password_confirmation]": password,
        }
        answer = client.put("/users/password", data=form, headers={"Accept": "text/html"})
        assert urlsplit(answer.headers["location"]).path == "/auth/auther/start"
        assert who(client) is None
    club.sql("UPDATE users SET encrypted_password = %s WHERE id = %s", before[0][0], CAROL)
    assert ("auth_logins_refused_total", "door=password_reset") in club.counters()


def test_the_rest_of_the_session_survives_the_end_of_the_legacy_side(club: Club) -> None:
    with club.browser() as client:
        club.sign_in(client, CAROL)
        client.get("/cart", params={"item": "teapot"})
        club.set_stage(Stage.AUTHER)
        headers = {"Authorization": f"Bearer {club.token(ALICE)}", **XHR}
        assert client.get("/whoami", headers=headers).json() == {"user": ALICE, "cart": "teapot"}
        club.set_stage(Stage.DUAL)
        assert client.get("/whoami", headers=XHR).json() == {"user": None, "cart": "teapot"}


def pair(client: object, token: str, user_id: int) -> object:
    form = {"authenticity_token": token, "id": str(user_id)}
    return client.post("/pair", data=form, headers={"Accept": "text/html"})  # type: ignore[attr-defined]


@pytest.mark.parametrize("stage", [Stage.DUAL, Stage.DRAIN, Stage.AUTHER])
def test_bypass_sign_in_is_a_door_as_well(club: Club, stage: Stage) -> None:
    refused = ("auth_logins_refused_total", "door=other")
    before = club.counters().get(refused, 0)
    with club.browser() as client:
        token = club.csrf_token(client, "/", form=False)
        club.set_stage(stage)
        answer = pair(client, token, CAROL)
        if stage is Stage.DUAL:
            assert answer.json() == {"by": CAROL}  # type: ignore[attr-defined]
            assert who(client) == CAROL
            return
        location = urlsplit(answer.headers["location"])  # type: ignore[attr-defined]
        assert location.path == "/auth/auther/start"
        assert who(client) is None
    assert club.counters()[refused] == before + 1


def test_bypass_sign_in_renews_the_session_of_whoever_is_there(club: Club) -> None:
    with club.browser(signed_in=BOB) as client:
        token = club.csrf_token(client, "/members", form=False)
        club.set_stage(Stage.DRAIN)
        assert pair(client, token, BOB).json() == {"by": BOB}  # type: ignore[attr-defined]


def test_bypass_sign_in_makes_no_second_sign_in_beside_authers(club: Club) -> None:
    with club.browser() as client:
        client.cookies.set("auther_id_token", club.token(ALICE), domain="127.0.0.1")
        token = club.csrf_token(client, "/members", form=False)
        assert pair(client, token, ALICE).json() == {"by": ALICE}  # type: ignore[attr-defined]
        client.cookies.delete("auther_id_token")
        assert who(client) is None


MOVE = "UPDATE migrator_identity SET home = 'auther' WHERE auther_id = %s"


def change(club: Club, client: object, **fields: str) -> object:
    token = club.csrf_token(client, "/members", form=False)  # type: ignore[arg-type]
    form = {f"user[{name}]": value for name, value in fields.items()}
    headers = {"Accept": "text/html"}
    return client.put(  # type: ignore[attr-defined]
        "/users", data={"authenticity_token": token, **form}, headers=headers
    )


def test_a_moved_users_password_and_account_are_changed_at_auther(club: Club) -> None:
    row = "SELECT encrypted_password, email FROM users WHERE id = %s"
    before = club.sql(row, BOB)
    with club.browser(signed_in=BOB) as client:
        club.sql(MOVE, sub_of(BOB))
        current = club.people[BOB]["plaintext_password"]
        for fields in (
            {"password": "another-one", "password_confirmation": "another-one"},
            {"email": "elsewhere@example.org"},
        ):
            answer = change(club, client, current_password=current, **fields)
            assert (answer.status_code, answer.headers["location"]) == (  # type: ignore[attr-defined]
                303,
                f"{club.issuer.issuer}/",
            )
        token = club.csrf_token(client, "/members", form=False)
        gone = client.request("DELETE", "/users", data={"authenticity_token": token}, headers=XHR)
        assert (gone.status_code, gone.json()) == (403, {"error": "login_moved"})
        assert who(client) == BOB
    assert club.sql(row, BOB) == before


def test_an_unmoved_users_password_is_changed_here(club: Club) -> None:
    password = club.people[BOB]["plaintext_password"]
    stored = "SELECT encrypted_password FROM users WHERE id = %s"
    ((before,),) = club.sql(stored, BOB)
    with club.browser() as client:
        club.sign_in(client, BOB)
        fields = {"password": "another-one", "password_confirmation": "another-one"}
        change(club, client, current_password=password, **fields)
        assert who(client) == BOB
    assert club.sql(stored, BOB) != [(before,)]
    club.sql("UPDATE users SET encrypted_password = %s WHERE id = %s", before, BOB)
