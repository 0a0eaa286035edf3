"""The application and a real Auther: exchange, doors of moved users, reset links, logout, new people."""

import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from migrator.config.model import LegacySection
from migrator.core.queries import load
from migrator.core.stage import Stage
from migrator.legacy.devise import open_devise
from migrator.legacy.new_user import new_user_function
from tests.auther.plugin.door import person
from tests.auther.plugin.users import bcrypt_envelope
from tests.parts import require
from tests.parts.postgres import PostgresServer
from tests.shims.rails.club import ALICE, BOB, CAROL, DAVE, TOKEN_COOKIE, XHR, sub_of
from tests.shims.rails.town import LINK, Town
from tests.shims.rails.town import town as running_town

LEGACY = LegacySection.model_validate({"dsn": "env:X"})
NEW_PASSWORD = "the-new-one-at-auther"
RESET = "UPDATE users SET reset_password_token = %s, reset_password_sent_at = now() AT TIME ZONE 'utc' WHERE id = %s"
TOKEN = "SELECT reset_password_token FROM users WHERE id = %s"
PAUSE = "auther_exchange_pause"


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, devise_template: str
) -> Iterator[Town]:
    require("node")
    require("rails")
    with running_town(postgres, devise_template, tmp_path_factory.mktemp("town")) as made:
        with open_devise(made.club.dsn, LEGACY) as source:
            function = new_user_function(source.columns, {})
        with psycopg.connect(made.club.dsn, autocommit=True) as connection:
            connection.execute(function, {})
        yield made


@pytest.fixture
def town(both: Town) -> Town:
    both.reset()
    both.club.set_stage(Stage.DUAL)
    return both


def test_a_session_becomes_one_at_auther_without_a_password(town: Town) -> None:
    before = town.club.counters()
    with town.browser() as browser:
        town.sign_in(browser, ALICE)
        browser.get("/cart", params={"item": "teapot"})
        town.club.set_stage(Stage.DRAIN)
        page = browser.get("/members", params={"page": "2"})
        assert (page.status_code, str(page.url)) == (
            200,
            f"{town.club.app.base_url}/members?page=2",
        )
        assert f"member {ALICE}" in page.text
        assert PAUSE not in browser.cookies
        del browser.cookies[TOKEN_COOKIE]
        assert browser.get("/whoami", headers=XHR).json() == {"user": None, "cart": "teapot"}
    assert (town.home(ALICE), town.sessions(ALICE)) == ("auther", 1)
    assert town.grown("auth_exchanges_total", before) == ["result=ok"]


def test_remember_me_becomes_one_too_and_no_legacy_session_on_the_way(town: Town) -> None:
    with town.browser() as browser:
        _remembered(town, browser, BOB)
        row = town.club.sql("SELECT sign_in_count FROM users WHERE id = %s", BOB)
        page = browser.get("/members")
        assert f"member {BOB}" in page.text
        assert "remember_user_token" not in browser.cookies
        assert town.club.sql("SELECT sign_in_count FROM users WHERE id = %s", BOB) == row
        del browser.cookies[TOKEN_COOKIE]
        assert town.who(browser) is None


def _remembered(town: Town, browser: httpx.Client, user_id: int) -> None:
    """Sign in, be remembered, and close the browser."""
    town.sign_in(browser, user_id, remember=True)
    del browser.cookies["_club_session"]
    town.club.set_stage(Stage.DRAIN)


def test_a_second_tab_of_a_remembered_browser_does_not_disturb_the_first(town: Town) -> None:
    with town.browser() as browser:
        _remembered(town, browser, BOB)
        back = _first_hops(town, browser)
        second = browser.get("/members", params={"tab": "2"})
        assert (second.history, f"member {BOB}" in second.text) == ([], True)
        assert f"member {BOB}" in browser.get(back).text
        assert TOKEN_COOKIE in browser.cookies
    assert (town.home(BOB), town.sessions(BOB)) == ("auther", 1)


@pytest.mark.parametrize("why", ["banned", "away"])
def test_whoever_is_only_remembered_and_cannot_be_exchanged_stays_signed_in(
    town: Town, why: str
) -> None:
    with town.browser() as browser:
        _remembered(town, browser, CAROL)
        row = "SELECT sign_in_count, remember_created_at FROM users WHERE id = %s"
        before = town.club.sql(row, CAROL)
        if why == "banned":
            town.users.run("UPDATE user SET banned = 1 WHERE id = ?", sub_of(CAROL))
            assert f"member {CAROL}" in browser.get("/members").text
        else:
            back = _first_hops(town, browser)
            with town.without_auther():
                assert f"member {CAROL}" in browser.get(back).text
        assert town.who(browser) == CAROL
        token = town.club.csrf_token(browser, "/members", form=False)
        answer = browser.post("/notes", data={"text": "x", "authenticity_token": token})
        assert answer.json()["by"] == CAROL
        assert town.club.sql(row, CAROL) == before, "no sign-in was counted"
        del browser.cookies["remember_user_token"]
        assert town.who(browser) is None, "no session was made"


def test_scripts_and_forms_are_left_on_their_session(town: Town) -> None:
    with town.browser() as browser:
        town.sign_in(browser, ALICE)
        token = town.club.csrf_token(browser, "/members", form=False)
        town.club.set_stage(Stage.DRAIN)
        assert town.who(browser) == ALICE
        answer = browser.post("/notes", data={"text": "x", "authenticity_token": token})
        assert answer.json()["by"] == ALICE
    assert town.sessions(ALICE) == 0


@pytest.mark.parametrize("why", ["pinned", "banned", "away"])
def test_whoever_cannot_be_exchanged_stays_signed_in(town: Town, why: str) -> None:
    with town.browser() as browser:
        town.sign_in(browser, CAROL)
        town.club.set_stage(Stage.DRAIN)
        if why == "pinned":
            town.club.sql(
                "UPDATE migrator_identity SET pinned_reason = 'x' WHERE auther_id = %s",
                sub_of(CAROL),
            )
        if why == "banned":
            town.users.run("UPDATE user SET banned = 1 WHERE id = ?", sub_of(CAROL))
        if why == "away":
            back = _first_hops(town, browser)
            with town.without_auther():
                page = browser.get(back)
        else:
            page = browser.get("/members")
        assert f"member {CAROL}" in page.text
        assert PAUSE in browser.cookies
        assert [r.status_code for r in browser.get("/members").history] == []
    assert town.sessions(CAROL) == 0


def _first_hops(town: Town, browser: httpx.Client) -> str:
    to_auther = browser.get("/members", follow_redirects=False).headers["location"]
    back: str = browser.get(to_auther, follow_redirects=False).headers["location"]
    assert back.startswith(f"{town.club.app.base_url}/auth/auther/exchange?")
    return back


def test_who_signs_out_between_the_hops_is_not_signed_in(town: Town) -> None:
    with town.browser() as browser:
        town.sign_in(browser, ALICE)
        town.club.set_stage(Stage.DRAIN)
        back = _first_hops(town, browser)
        del browser.cookies["_club_session"]
        browser.get(back)
        assert town.who(browser) is None
    assert town.sessions(ALICE) == 0


@pytest.mark.parametrize("ended", ["stage", "deadline"])
def test_an_exchange_that_began_in_drain_does_not_end_after_it(town: Town, ended: str) -> None:
    with town.browser() as browser:
        town.sign_in(browser, ALICE)
        town.club.set_stage(Stage.DRAIN)
        back = _first_hops(town, browser)
        if ended == "stage":
            town.club.set_stage(Stage.AUTHER)
        else:
            town.club.set_stage(Stage.DRAIN, legacy_accept_until="2026-01-01T00:00:00Z")
        page = browser.get(back)
        assert str(page.url).startswith(f"{town.auther.base_url}/sign-in")
        assert town.who(browser) is None
    assert (town.home(ALICE), town.sessions(ALICE)) == ("legacy", 0)


def test_the_return_of_another_browser_is_nobodys(town: Town) -> None:
    with town.browser() as victim, town.browser() as attacker:
        town.sign_in(victim, ALICE)
        town.sign_in(attacker, BOB)
        town.club.set_stage(Stage.DRAIN)
        assert victim.get(_first_hops(town, attacker)).status_code == 400
        assert town.who(victim) == ALICE


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
    finally:
        town.club.sql("DROP TABLE migrator_write_back")


EVE, MALLORY = 7, 10
SEEN_WITHIN_S = 30


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
