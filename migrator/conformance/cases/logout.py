"""The shim's own logout: who may ask for it, and what ends with it, here and at Auther."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from migrator.conformance.bench import LOGOUT
from migrator.conformance.case import case
from migrator.conformance.interface import Need
from migrator.conformance.signing_keys import SigningKey

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer, Browser

GROUP = "logout"
_HOUR_S, _RENEWABLE_S = 3600, 7 * 24 * 3600


@case(
    GROUP,
    rule="POST /auth/auther/logout ends both sides in this browser",
    mend="end the legacy session, remember-me and the Auther cookie, then go to after_login",
    needs=(Need.POST,),
    sessions=("alice",),
)
def logout_ends_both(bench: Bench) -> None:
    browser = bench.fresh_session("alice")
    browser.cookies[bench.token_cookie] = bench.token("alice")
    answer = _log_out(bench, browser)
    answer.must(answer.status == 303, "303")
    answer.must(bench.token_cookie not in browser.cookies, "the Auther cookie is removed")
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="POST /auth/auther/logout from another site ends nothing, nor does a GET",
    mend="protect it like any form, or compare Origin and Sec-Fetch-Site",
    sessions=("alice",),
)
def logout_is_protected(bench: Bench) -> None:
    browser = bench.fresh_session("alice")
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = browser.post(LOGOUT, {}, headers=elsewhere)
    answer.must(400 <= answer.status < 500, "a status of 4xx")
    answer = browser.visit(LOGOUT)
    answer.must(answer.status in {404, 405}, "404 or 405")
    bench.expect_user(bench.who(browser), "alice")


@case(
    GROUP,
    rule="logout ends the person's sessions at Auther too, through the plugin",
    mend="POST {plugin_url}/logout with MIGRATOR_LOGOUT_SECRET; best effort, counted",
    needs=(Need.POST, Need.ENDS_AUTHER, Need.TEST_ISSUER),
)
def logout_reaches_auther(bench: Bench) -> None:
    browser = bench.browser(cookie=bench.token("alice"))
    before, asked = bench.metrics(), bench.issuer.plugin.from_now("logout")
    answer = _log_out(bench, browser)
    ended = [one.get("id") for one in asked()]
    answer.must(ended == [bench.person("alice").auther_id], "one logout call")
    grown = bench.metrics().grown_since(before, "auth_logouts_total", auther="ended")
    answer.must(grown == 1, 'auth_logouts_total{auther="ended"} grows by one')


@case(
    GROUP,
    rule="a token that Auther never signed, or not for this application, ends nobody's sessions there",
    mend="take the sub of an expired token for its word only where nothing but its time is over",
    needs=(Need.POST, Need.ENDS_AUTHER, Need.TEST_ISSUER),
    sessions=("bob",),
)
def logout_of_somebody_else(bench: Bench) -> None:
    asked = bench.issuer.plugin.from_now("logout")
    recently = int(time.time()) - _HOUR_S
    odd: tuple[dict[str, Any], ...] = (
        {"key": SigningKey()},
        {"key": SigningKey(), "exp": recently},
        {"aud": "another-client"},
        {"aud": "another-client", "exp": recently},
    )
    for claims in odd:
        cookie = bench.token("alice", **claims)
        answer = _log_out(bench, bench.fresh_session("bob"), cookie=cookie)
        answer.must(not asked(), "no logout call")


@case(
    GROUP,
    rule="a token that has ended ends its person's sessions at Auther for seven days more, as long as "
    "its cookie lives, and not for ever",
    mend="compare exp + 7 days with the clock: who finds an old token must not sign its person out",
    needs=(Need.POST, Need.ENDS_AUTHER, Need.TEST_ISSUER),
    sessions=("bob",),
)
def logout_with_an_ended_token(bench: Bench) -> None:
    alice = bench.person("alice").auther_id
    for ended_s, wanted in ((_HOUR_S, [alice]), (_RENEWABLE_S + _HOUR_S, [])):
        asked = bench.issuer.plugin.from_now("logout")
        ended = bench.token("alice", exp=int(time.time()) - ended_s)
        answer = _log_out(bench, bench.fresh_session("bob"), cookie=ended)
        signed_out = [one.get("id") for one in asked()]
        said = f"{len(wanted)} logout calls for a token that ended {ended_s // _HOUR_S} hours ago"
        answer.must(signed_out == wanted, said)


@case(
    GROUP,
    rule="with Auther down the logout still ends both sides here",
    mend="two seconds at most, best effort, counted as failed",
    needs=(Need.POST, Need.ENDS_AUTHER, Need.TEST_ISSUER),
)
def logout_without_auther(bench: Bench) -> None:
    browser = bench.browser(cookie=bench.token("alice"))
    with bench.issuer.plugin.down():
        answer = _log_out(bench, browser)
    answer.must(answer.status == 303, "303")
    bench.expect_user(bench.who(browser), None)


def _log_out(bench: Bench, browser: Browser, *, cookie: str = "") -> Answer:
    """Send the logout as a page of the application does; a cookie comes after the page."""
    post = bench.profile.post
    assert post is not None
    own = {"Origin": bench.wire.base_url, "Sec-Fetch-Site": "same-origin"}
    fields, headers = {}, dict(own)
    if post.csrf is not None:
        token = bench.csrf_token(browser, post.page or post.path, post.csrf)
        fields = {post.csrf.field: token} if post.csrf.field else {}
        headers |= {post.csrf.header: token} if post.csrf.header else {}
    if cookie:
        browser.cookies[bench.token_cookie] = cookie
    return browser.post(LOGOUT, fields, headers=headers)


CASES = (
    logout_ends_both,
    logout_is_protected,
    logout_reaches_auther,
    logout_of_somebody_else,
    logout_with_an_ended_token,
    logout_without_auther,
)
