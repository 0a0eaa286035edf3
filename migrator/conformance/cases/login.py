"""The browser's login through Auther."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrator.conformance.bench import START
from migrator.conformance.browser import attributes_of, lifetime_s
from migrator.conformance.case import case
from migrator.conformance.interface import AUTHER, DRAIN, LEGACY, Need
from migrator.conformance.logins import come_back, log_in, start

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Browser

GROUP = "login"
ODD = (Need.TEST_ISSUER,)
# No cookie holds a token with this in it.
_LARGE = f"https://example.org/{'x' * 3500}"
_RENEWABLE_S, _MARGIN_S = 7 * 24 * 3600, 60
_MEND_STATE = (
    "keep state, nonce and verifier in a signed cookie per attempt, compare the whole state, and "
    "remove the cookie whatever comes of it"
)


@case(GROUP, rule="a login ends at its return path, with the token in a cookie", mend=_MEND_STATE)
def ends_at_the_return_path(bench: Bench) -> None:
    browser = bench.browser()
    answer = log_in(bench, browser, "alice", f"{bench.profile.whoami}?tab=2")
    answer.must(answer.status in {302, 303}, "a redirect")
    where = urlsplit(answer.location)
    answer.must(
        (where.path, where.query) == (bench.profile.whoami, "tab=2"), "the return path, whole"
    )
    bench.expect_user(bench.who(browser), "alice")


@case(
    "cookies",
    rule="the token's cookie is HttpOnly, SameSite=Lax, for the whole origin; over https it is "
    "Secure and named __Host-",
    mend="set the cookie with all of its attributes, and no Domain",
)
def the_token_cookie(bench: Bench) -> None:
    answer = log_in(bench, bench.browser(), "alice")
    wanted = {"httponly", "samesite=lax", "path=/"}
    wanted |= {"secure"} if bench.token_cookie.startswith("__Host-") else set()
    found = attributes_of(answer.set_cookie(bench.token_cookie))
    answer.must(wanted <= found, f"the attributes {sorted(wanted)}")
    answer.must(not any(one.startswith("domain=") for one in found), "no Domain")


@case(
    "cookies",
    rule="the token's cookie outlives the token by seven days, as long as Auther's own session",
    mend="add seven days: a browser never sends a cookie that has ended, so nothing is renewed",
)
def the_token_cookie_outlives_the_token(bench: Bench) -> None:
    browser = bench.browser()
    answer = log_in(bench, browser, "alice")
    payload = browser.cookies[bench.token_cookie].split(".")[1]
    ends_s = json.loads(base64.urlsafe_b64decode(payload + "=="))["exp"]
    lasts_s = lifetime_s(answer.set_cookie(bench.token_cookie)) or 0
    beyond_s = time.time() + lasts_s - ends_s
    answer.must(beyond_s > _RENEWABLE_S - _MARGIN_S, "a cookie that lasts 7 days longer")


@case(
    "cookies",
    rule="the cookie of an attempt is its own, HttpOnly, and does not hold the verifier in clear",
    mend="encrypt or sign it; its name ends with the first 12 characters of the state",
)
def the_attempt_cookie(bench: Bench) -> None:
    browser = bench.browser()
    begun = start(browser)
    name = bench.site.cookie(f"auther_login_{begun.query['state'][:12]}")
    begun.must("httponly" in attributes_of(begun.set_cookie(name)), "HttpOnly")
    answer = browser.visit(come_back(bench, begun, "alice"))
    answer.must(name not in browser.cookies, "the attempt's cookie is removed at the callback")


@case(GROUP, rule="the request to Auther uses PKCE (S256), a state and a nonce", mend=_MEND_STATE)
def uses_pkce(bench: Bench) -> None:
    begun = start(bench.browser())
    query = begun.query
    begun.must(query.get("code_challenge_method") == "S256", "code_challenge_method=S256")
    begun.must(len(query.get("code_challenge", "")) == 43, "a challenge of 43 characters")
    begun.must(len(query.get("state", "")) >= 22, "a state of 128 bits at least")
    begun.must(len(query.get("nonce", "")) >= 22, "a nonce of 128 bits at least")
    begun.must(query.get("redirect_uri") == bench.site.redirect_uri, "the configured redirect_uri")
    begun.must("openid" in query.get("scope", "").split(), "scope openid")
    other = start(bench.browser())
    for name in ("state", "nonce", "code_challenge"):
        begun.must(query[name] != other.query[name], f"a new {name} for each attempt")


@case(
    GROUP, rule="a login is counted by its door and side", mend="count it where the cookie is set"
)
def is_counted(bench: Bench) -> None:
    before = bench.metrics()
    answer = log_in(bench, bench.browser(), "alice")
    grown = bench.metrics().grown_since(
        before, "auth_logins_total", door="callback", side="auther"
    )
    answer.must(grown == 1, 'auth_logins_total{door="callback",side="auther"} grows by one')


@case(
    GROUP,
    rule="the callback moves the user's home to auther in dual",
    mend="update migrator_identity in the same transaction as the login",
)
def moves_the_home(bench: Bench) -> None:
    answer = log_in(bench, bench.browser(), "alice")
    answer.must(bench.scene.home(bench.person("alice")) == "auther", "alice's home is auther")


@case(
    GROUP,
    rule="the callback moves the user's home in drain too",
    mend="update migrator_identity in the same transaction as the login",
    at=DRAIN,
)
def moves_the_home_in_drain(bench: Bench) -> None:
    answer = log_in(bench, bench.browser(), "alice")
    answer.must(bench.scene.home(bench.person("alice")) == "auther", "alice's home is auther")


@case(
    GROUP,
    rule="completing a login at Auther first ends the legacy session in that browser",
    mend="end the other side's session before the cookie is set",
    sessions=("alice",),
)
def ends_the_own_session(bench: Bench) -> None:
    browser = bench.fresh_session("alice")
    log_in(bench, browser, "alice")
    bench.expect_user(bench.who(browser), "alice")
    browser.cookies.pop(bench.token_cookie, None)
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="completing a login at Auther ends another person's legacy session too",
    mend="end the other side's session before the cookie is set",
    sessions=("bob",),
)
def ends_another_session(bench: Bench) -> None:
    browser = bench.fresh_session("bob")
    log_in(bench, browser, "alice")
    bench.expect_user(bench.who(browser), "alice")
    browser.cookies.pop(bench.token_cookie, None)
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="completing a login ends remember-me in that browser",
    mend="remove the remember-me cookie with the session, in this browser only",
    needs=(Need.REMEMBER_ME,),
    sessions=("alice",),
)
def ends_remember_me(bench: Bench) -> None:
    form = bench.profile.form
    browser = bench.sign_in("alice", remember=True)
    answer = log_in(bench, browser, "alice")
    name = form.remember_cookie if form else ""
    answer.must(name not in browser.cookies, f"{name} is removed")


@case(
    GROUP,
    rule="a token above 3,500 bytes is kept on the server, and the cookie holds a handle",
    mend="seal it into migrator_token; browsers drop cookies above 4,096 bytes",
    needs=ODD,
)
def a_large_token(bench: Bench) -> None:
    browser = bench.browser()
    with bench.issuer.overriding({"picture": _LARGE}):
        answer = log_in(bench, browser, "alice")
    answer.must(answer.status in {302, 303}, "a redirect")
    held = browser.cookies.get(bench.token_cookie, "")
    answer.must(held.startswith("s.") and len(held) < 100, "a handle in the cookie")
    bench.expect_user(bench.who(browser), "alice")
    browser.cookies[bench.token_cookie] = "s." + "A" * 43
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="a large token that is kept on the server outlives its end by seven days too",
    mend="let the row of migrator_token end when the cookie does",
    needs=ODD,
)
def a_large_token_that_has_ended(bench: Bench) -> None:
    browser = bench.browser()
    # Within the leeway: the token itself is still good.
    with bench.issuer.overriding({"picture": _LARGE, "exp": int(time.time()) - 5}):
        log_in(bench, browser, "alice")
    bench.expect_user(bench.who(browser), "alice")


def _in_flight(bench: Bench) -> tuple[Browser, str]:
    browser = bench.browser()
    return browser, come_back(bench, start(browser), "alice")


@case(
    GROUP,
    rule="in stage legacy a login leads to the legacy form, and a callback in flight signs nobody in",
    mend="look at the stage at the start and at the callback",
    at=LEGACY,
    prepare=_in_flight,
)
def in_stage_legacy(bench: Bench) -> None:
    browser, url = bench.prepared
    for answer in (browser.visit(url), browser.visit(START)):
        away = urlsplit(answer.location).path not in {START, bench.site.callback_path}
        answer.must(bench.is_login(answer) and away, "a redirect to the legacy form")
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="a login in stage auther moves no home",
    mend="homes move in dual and drain only",
    at=AUTHER,
)
def in_stage_auther(bench: Bench) -> None:
    browser = bench.browser()
    answer = log_in(bench, browser, "alice")
    bench.expect_user(bench.who(browser), "alice")
    answer.must(bench.scene.home(bench.person("alice")) == "legacy", "alice's home stays legacy")


CASES = (
    ends_at_the_return_path,
    the_token_cookie,
    the_token_cookie_outlives_the_token,
    the_attempt_cookie,
    uses_pkce,
    is_counted,
    moves_the_home,
    moves_the_home_in_drain,
    ends_the_own_session,
    ends_another_session,
    ends_remember_me,
    a_large_token,
    a_large_token_that_has_ended,
    in_stage_legacy,
    in_stage_auther,
)
