"""What belongs to Express and Passport alone, or what the conformance suite cannot see from outside."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from migrator.conformance.signing_keys import b64url
from migrator.core.queries import load
from migrator.core.stage import Stage
from tests.parts.express import prepare
from tests.shims.asgi.club import ALICE, BOB, NAVIGATION, TOKEN_COOKIE, sub_of
from tests.shims.counting import (
    check_that_failed_answers_are_counted,
    check_that_the_log_says_what_was_counted,
)
from tests.shims.express.club import Club
from tests.shims.withholding import check_that_a_rollback_withholds_passwords

pytestmark = pytest.mark.xdist_group("express")
SESSION = "club.sid"
AT_AUTHER = "a password that only Auther knows"


def who(client: httpx.Client, **headers: str) -> Any:
    said = client.get("/whoami", headers=headers).json()
    return said | {"user": said["user"] and int(said["user"])} if "user" in said else said


def test_a_login_at_auther_gives_the_session_a_new_id_and_keeps_the_own_cart(club: Club) -> None:
    with club.browser() as client:
        club.sign_in(client, ALICE)
        client.get("/cart", params={"item": "teapot"})
        before = client.cookies[SESSION]
        club.sign_in_at_auther(client, ALICE)
        assert client.cookies[SESSION] != before
        assert (who(client)["user"], who(client)["cart"]) == (ALICE, "teapot")
        with club.browser() as thief:
            thief.cookies.set(SESSION, before)
            assert who(thief) == {"user": None, "cart": None}


def test_somebody_elses_session_goes_as_a_whole(club: Club) -> None:
    with club.browser() as client:
        club.sign_in(client, BOB)
        client.get("/cart", params={"item": "teapot"})
        club.sign_in_at_auther(client, ALICE)
        assert (who(client)["user"], who(client)["cart"]) == (ALICE, None)


def test_a_foreign_bearer_on_its_path_leaves_the_stored_session_alone(club: Club) -> None:
    with club.browser() as client:
        club.sign_in(client, BOB)
        client.get("/cart", params={"item": "teapot"})
        foreign = {"Authorization": "Bearer personal-token"}
        answer = client.get("/api/v1/whoami", headers=foreign)
        assert (answer.json()["user"], answer.json()["cart"]) == (None, None)
        assert "set-cookie" not in answer.headers
        assert (who(client)["user"], who(client)["cart"]) == (BOB, "teapot")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v10/whoami",
        "/api/v1/../whoami",
        "/api/v1//whoami",
        "/api/v1/%2e%2e/whoami",
        "/API/V1/whoami",
    ],
)
def test_a_path_that_can_be_read_otherwise_is_not_below_a_prefix(club: Club, path: str) -> None:
    with httpx.Client(verify=False) as client:
        url = httpx.URL(club.app.base_url).copy_with(raw_path=path.encode())
        answer = client.get(url, headers={"Authorization": "Bearer personal-token"})
    assert (answer.status_code, answer.json()) == (401, {"error": "foreign_bearer"})


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"])
def test_a_header_has_any_case(club: Club, name: str) -> None:
    with club.browser() as client:
        assert who(client, **{name: f"Bearer {club.token(ALICE)}"})["user"] == ALICE


@pytest.mark.parametrize(
    "query", ["state[]=a&code=b", "state=a&state=b&code=c", "state[x]=a", "code[__proto__]=1"]
)
def test_lists_and_objects_in_the_query_are_no_state(club: Club, query: str) -> None:
    with club.browser() as client:
        answer = client.get(f"/auth/callback?{query}", headers=NAVIGATION)
        assert answer.status_code == 400
        begun = client.get(
            "/auth/auther/start?return_to[]=/x&return_to=//evil.example", headers=NAVIGATION
        )
        assert begun.status_code == 303


def test_a_prototype_in_the_claims_is_no_claim(club: Club) -> None:
    header, _, _ = club.token(ALICE).split(".")
    claims = json.loads(json.dumps({"iss": club.issuer.issuer}))
    text = (
        json.dumps(claims)[:-1]
        + ', "__proto__": {"sub": "x", "exp": 9999999999, "aud": "test-client"}}'
    )
    with club.browser() as client:
        answer = client.get(
            "/whoami", headers={"Authorization": f"Bearer {header}.{b64url(text.encode())}.AAAA"}
        )
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})
        assert who(client)["user"] is None


def test_a_sign_out_by_passport_ends_the_auther_cookie(club: Club) -> None:
    with club.browser() as client:
        club.sign_in_at_auther(client, ALICE)
        csrf = client.get("/cart").json()["csrf"]
        assert client.post("/logout", data={"csrf": csrf}).status_code == 303
        assert TOKEN_COOKIE not in client.cookies
        assert who(client)["user"] is None


def test_a_remembered_browser_is_exchanged_without_a_session(club: Club) -> None:
    with club.browser() as client:
        club.sign_in(client, ALICE, remember_me="1")
        del client.cookies[SESSION]
        club.set_stage(Stage.DRAIN)
        answer = client.get("/whoami", headers=NAVIGATION)
        assert answer.headers["location"].startswith(
            f"{club.issuer.auth_url}/migrator/exchange/start?"
        )
        assert SESSION not in client.cookies
        # Whatever goes wrong there must not come back in a circle, nor sign anybody out.
        again = client.get("/whoami", headers=NAVIGATION)
        assert again.json()["user"] == str(ALICE)


def test_an_exchange_that_fails_ends_on_this_site(club: Club) -> None:
    with club.browser() as client:
        club.sign_in(client, ALICE)
        club.set_stage(Stage.DRAIN)
        club.issuer.plugin.mode = "down"
        evil = httpx.URL(club.app.base_url).copy_with(raw_path=b"//evil.example/x")
        begun = client.get(evil, headers=NAVIGATION)
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        back = {"state": state, "nonce_hash": "n" * 43}
        answer = client.get("/auth/auther/exchange", params=back, headers=NAVIGATION)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_first_request_of_a_process_finds_the_doors_closed(
    club: Club, express_dsn: str
) -> None:
    """Though passport.initialize() stands in front, as in applications that began with older versions."""
    app = prepare(express_dsn, club.issuer, pepper=club.people[BOB]["pepper"])
    try:
        source = app.folder / "app.js"
        line = "app.use(cutover.session());"
        source.write_text(
            source.read_text().replace(line, f"app.use(passport.initialize());{line}")
        )
        app.stage.set(Stage.AUTHER)
        app.start()
        body = {
            "email": club.people[BOB]["email"],
            "password": club.people[BOB]["plaintext_password"],
        }
        answer = httpx.post(
            f"{app.base_url}/api/login", json=body, headers={"Accept": "application/json"}
        )
        assert (answer.status_code, answer.json()) == (403, {"error": "login_moved"})
    finally:
        app.remove()


def test_back_in_legacy_a_change_that_is_not_written_back_is_asked_for_at_auther(
    club: Club,
) -> None:
    club.issuer.plugin.passwords[sub_of(ALICE)] = AT_AUTHER
    club.move(ALICE, "auther")

    def doors() -> list[int]:
        found = []
        for password in (club.people[ALICE]["plaintext_password"], AT_AUTHER):
            with club.browser() as client:
                found.append(club.sign_in(client, ALICE, password=password).status_code)
        return found

    club.set_stage(Stage.LEGACY)
    assert doors() == [303, 422], "homes do not count"
    club.sql(
        load("migrator.legacy", "written_back.sql")["create"].format(log="migrator_write_back")
    )
    club.sql(
        "INSERT INTO migrator_write_back (event_id, source, auther_id, kind, concerns, at, outcome, state) "
        "VALUES ('evt', 'User', %s, 'password', 'password', now(), 'held', 'held')",
        sub_of(ALICE),
    )
    try:
        assert doors() == [422, 303]
        club.set_stage(Stage.LEGACY, stop_accepting=True)
        assert doors() == [303, 422], "after a compromise Auther is asked nothing"
    finally:
        club.sql("DROP TABLE migrator_write_back")
        club.issuer.plugin.passwords.clear()
        club.move(ALICE, "legacy")


def test_after_a_rollback_passwords_stay_here_that_auther_has_no_business_with(
    club: Club,
) -> None:
    check_that_a_rollback_withholds_passwords(club, club.enter)


def test_a_reset_link_of_who_moved_goes_on_at_auther(club: Club) -> None:
    club.issuer.plugin.passwords[sub_of(ALICE)] = "known"
    with club.browser() as client:
        assert client.post(f"/reset/{ALICE}").json() == {"consumed": True, "url": None}
        club.move(ALICE, "auther")
        assert "/reset-password/" in client.post(f"/reset/{ALICE}").json()["url"]
        club.issuer.plugin.mode = "down"
        answer = client.post(f"/reset/{ALICE}")
        assert (answer.status_code, answer.json()) == (503, {"error": "verification_unavailable"})
        assert answer.headers["retry-after"]


def test_the_detector_sees_a_session_that_the_framework_made(club: Club) -> None:
    assert [s.value for s in club.samples() if s.name == "auth_detector_sees_fixture"] == [1]


PERMISSIONS = {"invoice": ["read"], "invoice:7": ["pay"], "report": []}


@pytest.mark.parametrize(
    ("claims", "question", "answer"),
    [
        ({"permissions": PERMISSIONS}, "read invoice 9", "allowed"),
        ({"permissions": PERMISSIONS}, "pay invoice 7", "allowed"),
        ({"permissions": PERMISSIONS}, "pay invoice 8", "denied"),
        ({"permissions": PERMISSIONS}, "read report 1", "denied"),
        ({"permissions": PERMISSIONS}, "read __proto__ 1", "denied"),
        ({"permissions": {}}, "read invoice 9", "denied"),
        ({}, "read invoice 9", "unknown"),
        (
            {"permissions": PERMISSIONS, "abac_required": {"invoice": ["read"]}},
            "read invoice 9",
            "unknown",
        ),
        ({"permissions": PERMISSIONS, "abac_required": True}, "read invoice 9", "unknown"),
        (
            {"permissions": {}, "abac_required": {"invoice:9": ["read"]}},
            "read invoice 9",
            "unknown",
        ),
    ],
)
def test_permissions_come_from_the_token_with_three_answers(
    club: Club, claims: dict[str, Any], question: str, answer: str
) -> None:
    permission, kind, entity = question.split()
    with club.browser() as client:
        said = client.get(
            "/permission",
            params={"permission": permission, "type": kind, "id": entity},
            # A key beside a person's token is not asked: its answer is not about the person.
            headers={
                "Authorization": f"Bearer {club.token(ALICE, **claims)}",
                "X-Api-Key": "k" * 64,
            },
        )
    assert said.json() == {"answer": answer}


def test_a_programs_key_is_asked_at_auther_and_no_answer_is_a_refusal(club: Club) -> None:
    params = {"permission": "read", "type": "invoice", "id": "9"}
    with club.browser() as client:
        # This issuer does not know the endpoint.
        said = client.get("/permission", params=params, headers={"X-Api-Key": "k" * 64})
    assert said.json() == {"answer": "unknown"}


def test_the_log_has_a_line_for_each_decision_and_no_secret(club: Club) -> None:
    token = club.token(ALICE)
    with club.browser() as client:
        who(client, Authorization=f"Bearer {token}")
        club.sign_in(client, BOB)
        who(client, Authorization=f"Bearer {token}")
    log = club.app.log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    conflict = next(line for line in lines if line.get("reason") == "conflict")
    assert conflict["event"] == "auth"
    assert all(len(party) == 12 for party in conflict["parties"])
    for secret in (token, club.people[BOB]["plaintext_password"], club.people[BOB]["email"]):
        assert secret not in log


def test_answers_of_the_application_that_fail_are_counted(club: Club) -> None:
    check_that_failed_answers_are_counted(club.app, fails=["/broken"])


def test_the_log_says_what_was_counted(club: Club) -> None:
    check_that_the_log_says_what_was_counted(club.app)
