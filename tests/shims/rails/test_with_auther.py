"""The application and a real Auther: doors of moved users, reset links, logout, new people, capture."""

import time

import httpx
import pytest

from migrator.config.model import LegacySection
from migrator.core.queries import load
from migrator.core.stage import Stage
from tests.auther.plugin.door import person
from tests.auther.plugin.users import bcrypt_envelope
from tests.shims.rails.club import ALICE, DAVE, TOKEN_COOKIE, XHR, sub_of
from tests.shims.rails.town import LINK, Town

LEGACY = LegacySection.model_validate({"dsn": "env:X"})
NEW_PASSWORD = "the-new-one-at-auther"
RESET = "UPDATE users SET reset_password_token = %s, reset_password_sent_at = now() AT TIME ZONE 'utc' WHERE id = %s"
TOKEN = "SELECT reset_password_token FROM users WHERE id = %s"

# One application and one Auther for both files.
pytestmark = pytest.mark.xdist_group("rails-with-auther")


def test_the_form_asks_auther_for_a_moved_users_password(town: Town) -> None:
    town.move(DAVE, NEW_PASSWORD)
    before = town.club.counters()
    with town.browser() as browser:
        old = town.club.sign_in(browser, DAVE)
        assert (old.history, town.who(browser)) == ([], None)
        failed = town.club.sql("SELECT failed_attempts FROM users WHERE id = %s", DAVE)
        assert failed == [(1,)]
        new = _form(town, browser, DAVE, NEW_PASSWORD)
        assert str(new.url).startswith(f"{town.auther.base_url}/sign-in")
        assert town.who(browser) is None
    assert town.grown("auth_logins_refused_total", before) == ["door=form"]


def _form(town: Town, browser: httpx.Client, user_id: int, password: str) -> httpx.Response:
    form = {
        "authenticity_token": town.club.csrf_token(browser, "/users/sign_in"),
        "user[email]": town.club.people[user_id]["email"],
        "user[password]": password,
    }
    return browser.post("/users/sign_in", data=form)


@pytest.mark.parametrize("stage", [Stage.DUAL, Stage.DRAIN])
def test_a_moved_user_signs_in_by_json_with_the_password_of_auther(
    town: Town, stage: Stage
) -> None:
    town.move(DAVE, NEW_PASSWORD)
    with httpx.Client(base_url=town.club.app.base_url, timeout=30) as device:
        token = town.club.csrf_token(device, "/users/sign_in")
        town.club.set_stage(stage)

        def sign_in(password: str) -> httpx.Response:
            user = {"email": town.club.people[DAVE]["email"], "password": password}
            body = {"authenticity_token": token, "user": user}
            return device.post("/users/sign_in", json=body, headers=XHR)

        assert sign_in(town.club.people[DAVE]["plaintext_password"]).status_code == 401
        with town.without_auther():
            away = sign_in(NEW_PASSWORD)
        assert (away.status_code, away.json()["error"]) == (503, "verification_unavailable")
        assert int(away.headers["retry-after"]) > 0
        assert sign_in(NEW_PASSWORD).status_code == 201
        assert device.get("/whoami", headers=XHR).json()["user"] == DAVE


def _reset_link(town: Town, user_id: int) -> str:
    script = 'puts "=" + Devise.token_generator.digest(User, :reset_password_token, "raw-token")'
    done = town.club.app.run("bundle", "exec", "ruby", "-r./config/environment", "-e", script)
    town.club.sql(RESET, done.stdout.split("=")[-1].strip(), user_id)
    return "/users/password/edit?reset_password_token=raw-token"


def test_a_moved_users_reset_link_leads_to_auther_and_is_used_up(town: Town) -> None:
    town.move(DAVE, NEW_PASSWORD)
    link = _reset_link(town, DAVE)
    with httpx.Client(base_url=town.club.app.base_url, timeout=30) as browser:
        with town.without_auther():
            away = browser.get(link)
        assert (away.status_code, town.club.sql(TOKEN, DAVE)[0][0] is None) == (503, False)
        assert browser.head(link).status_code == 200
        answer = browser.get(link)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(
            f"{town.auther.base_url}/api/auth/reset-password/"
        )
        assert town.club.sql(TOKEN, DAVE) == [(None,)]
        assert browser.get(link).status_code == 200


def test_a_second_token_does_not_hide_a_moved_users(town: Town) -> None:
    town.move(DAVE, NEW_PASSWORD)
    link = _reset_link(town, DAVE)
    before = town.club.sql("SELECT encrypted_password FROM users WHERE id = %s", DAVE)
    with httpx.Client(base_url=town.club.app.base_url, timeout=30) as browser:
        form = {
            "authenticity_token": town.club.csrf_token(browser, "/users/sign_in", form=False),
            "user[reset_password_token]": "raw-token",
            "user[password]": NEW_PASSWORD,
            "user[password_confirmation]": NEW_PASSWORD,
        }
        another = link.replace("raw-token", "another").replace("/edit", "")
        answer = browser.put(another, data=form, headers=XHR)
        assert answer.headers["location"].startswith(f"{town.auther.base_url}/api/auth/")
        assert town.who(browser) is None
    assert town.club.sql("SELECT encrypted_password FROM users WHERE id = %s", DAVE) == before


def test_an_unmoved_users_reset_link_is_honoured(town: Town) -> None:
    link = _reset_link(town, DAVE)
    before = town.club.sql("SELECT encrypted_password FROM users WHERE id = %s", DAVE)
    with httpx.Client(base_url=town.club.app.base_url, timeout=30) as browser:
        form = {
            "authenticity_token": town.club.csrf_token(browser, link),
            "user[reset_password_token]": "raw-token",
            "user[password]": NEW_PASSWORD,
            "user[password_confirmation]": NEW_PASSWORD,
        }
        assert browser.put("/users/password", data=form).status_code == 302
        assert browser.get("/whoami", headers=XHR).json()["user"] == DAVE
    town.club.sql("UPDATE users SET encrypted_password = %s WHERE id = %s", before[0][0], DAVE)


def test_logout_ends_the_session_at_auther_too(town: Town) -> None:
    before = town.club.counters()
    with town.browser() as browser:
        town.sign_in_at_auther(browser, ALICE)
        assert (town.who(browser), town.sessions(ALICE)) == (ALICE, 1)
        token = town.club.csrf_token(browser, "/members", form=False)
        browser.post("/auth/auther/logout", data={"authenticity_token": token})
        assert (town.who(browser), town.sessions(ALICE)) == (None, 0)
        page = browser.get("/auth/auther/start")
        assert str(page.url).startswith(f"{town.auther.base_url}/sign-in")
    assert town.grown("auth_logouts_total", before) == ["auther=ended"]


def test_the_applications_own_sign_out_does_the_same(town: Town) -> None:
    with town.browser() as browser:
        town.sign_in_at_auther(browser, ALICE)
        token = town.club.csrf_token(browser, "/members")
        browser.request("DELETE", "/users/sign_out", data={"authenticity_token": token})
        assert (town.who(browser), town.sessions(ALICE)) == (None, 0)


def test_a_logout_does_not_wait_for_an_auther_that_is_away(town: Town) -> None:
    before = town.club.counters()
    with town.browser() as browser:
        town.sign_in_at_auther(browser, ALICE)
        token = town.club.csrf_token(browser, "/members", form=False)
        with town.without_auther():
            browser.post("/auth/auther/logout", data={"authenticity_token": token})
        assert town.who(browser) is None
    assert town.grown("auth_logouts_total", before) == ["auther=failed"]


def test_somebody_new_gets_a_row_once_and_never_by_address(town: Town) -> None:
    new = town.users.add(bcrypt_envelope("word-12345"))
    with town.browser() as browser:
        page = browser.get("/auth/auther/start", params={"return_to": "/members"})
        answer = browser.post(
            f"{town.auther.base_url}/api/auth/sign-in/email",
            data={"email": new.email, "password": "word-12345"},
            headers={"Origin": town.auther.base_url},
        )
        assert page.status_code == 200
        assert answer.status_code == 200, town.club.app.log[-3000:]
    rows = town.club.sql(
        "SELECT i.home, i.origin, u.email FROM migrator_identity i JOIN users u ON u.id::text = i.user_pk "
        "WHERE auther_id = %s",
        new.id,
    )
    assert rows == [("auther", "jit", new.email)]


OPEN = (
    "INSERT INTO migrator_write_back (event_id, source, auther_id, user_pk, kind, concerns, at, outcome, state) "
    "VALUES ('e1', 'User', %s, %s, 'password', 'password', now(), 'held', 'held')"
)


def test_after_a_rollback_only_who_has_a_change_there_still_signs_in_at_auther(town: Town) -> None:
    for user_id in (DAVE, ALICE):
        town.move(user_id, NEW_PASSWORD)
    town.club.sql(
        load("migrator.legacy", "written_back.sql")["create"].format(log="migrator_write_back")
    )
    town.club.sql(OPEN, sub_of(DAVE), str(DAVE))
    town.club.set_stage(Stage.LEGACY)
    try:
        with town.browser() as browser:
            page = _form(town, browser, DAVE, NEW_PASSWORD)
            assert str(page.url).startswith(f"{town.auther.base_url}/sign-in")
            someone = town.club.people[DAVE]
            page = browser.post(
                f"{town.auther.base_url}/api/auth/sign-in/email",
                data={"email": someone["email"], "password": NEW_PASSWORD},
                headers={"Origin": town.auther.base_url},
            )
            assert town.who(browser) == DAVE
        with town.browser() as browser:
            town.sign_in(browser, ALICE)
            assert TOKEN_COOKIE not in browser.cookies
        # After a compromise Auther is asked nothing: the password of before is the only one there is.
        town.club.set_stage(Stage.LEGACY, stop_accepting=True)
        with town.browser() as browser:
            town.sign_in(browser, DAVE)
            assert TOKEN_COOKIE not in browser.cookies
            assert town.who(browser) == DAVE
    finally:
        town.club.sql("DROP TABLE migrator_write_back")


EVE, MALLORY = 7, 10
SEEN_WITHIN_S = 120


def _without_password(town: Town, user_id: int) -> None:
    """Import a user whose hash could not be carried."""
    row = person(id=sub_of(user_id), email=town.club.people[user_id]["email"])
    assert town.door.upsert(row) == ["inserted"]
    town.club.sql(LINK, str(user_id), sub_of(user_id))


def _sign_in_until(town: Town, user_id: int, counter: str, labels: str) -> None:
    """Sign in until a check beside it ended so: on a busy machine one may be left out."""
    before, ends = town.club.counters(), time.monotonic() + SEEN_WITHIN_S
    while labels not in town.grown(counter, before):
        assert time.monotonic() < ends, town.club.counters()
        with town.browser() as browser:
            town.sign_in(browser, user_id)


def test_a_password_that_could_not_be_carried_is_handed_over_at_the_login(town: Town) -> None:
    _without_password(town, EVE)
    someone = town.club.people[EVE]
    _sign_in_until(town, EVE, "auth_captures_total", "result=captured")
    signed_in = town.auther.sign_in(someone["email"], someone["plaintext_password"])
    assert (signed_in.status, signed_in.user_id) == (200, sub_of(EVE))
    said = town.club.app.log + town.auther.log() + town.club.metrics_text()
    assert someone["plaintext_password"] not in said


def test_a_pinned_users_password_stays_here(town: Town) -> None:
    _without_password(town, MALLORY)
    town.club.sql(
        "UPDATE migrator_identity SET pinned_reason = 'second_factor' WHERE auther_id = %s",
        sub_of(MALLORY),
    )
    _sign_in_until(town, MALLORY, "auth_shadow_checks_total", "result=unlinked")
    accounts = town.users.rows("SELECT id FROM account WHERE user_id = ?", sub_of(MALLORY))
    assert accounts == []
