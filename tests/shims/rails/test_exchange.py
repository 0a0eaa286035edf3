"""Sessions and remember-me become sessions at a real Auther, without a password."""

import httpx
import pytest

from migrator.core.stage import Stage
from tests.shims.rails.club import ALICE, BOB, CAROL, TOKEN_COOKIE, XHR, sub_of
from tests.shims.rails.town import Town

PAUSE = "auther_exchange_pause"

# One application and one Auther for both files.
pytestmark = pytest.mark.xdist_group("rails-with-auther")


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
