"""Two people in one browser, doubled and spoilt cookies, and the page that ends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrator.conformance.bench import CONFLICT
from migrator.conformance.browser import attributes_of
from migrator.conformance.case import case
from migrator.conformance.cases.table import OPAQUE, credential
from migrator.conformance.interface import DRAIN, CannotRunError, Need
from migrator.conformance.logins import log_in

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer, Browser

GROUP = "conflicts"
_HIDDEN = re.compile(r"<input\b[^>]*>", re.IGNORECASE)
_NAME = re.compile(r"""\bname=["']([^"']+)["']""", re.IGNORECASE)
_VALUE = re.compile(r"""\bvalue=["']([^"']*)["']""", re.IGNORECASE)
_MEND_PAGE = (
    "the page is the shim's own: no names, one form with the framework's CSRF token (or the "
    "cookie auther_conflict), and its POST ends both sides in this browser"
)


def conflicting(bench: Bench) -> Browser:
    """Give a browser with bob's session and alice's cookie."""
    browser = bench.fresh_session("bob")
    browser.cookies[bench.token_cookie] = bench.token("alice")
    return browser


def hidden_fields(page: Answer) -> dict[str, str]:
    """Give the fields of a page's only form, its CSRF token among them.

    Raises:
        MismatchError: The page has none.
    """
    fields = {}
    for tag in _HIDDEN.findall(page.text):
        name, value = _NAME.search(tag), _VALUE.search(tag)
        if name and value:
            fields[name[1]] = value[1].replace("&#43;", "+").replace("&amp;", "&")
    page.must(fields, "a form with a CSRF token")
    return fields


def _is_still_conflicting(bench: Bench, browser: Browser) -> None:
    bench.expect_refused(bench.who(browser), 401, "auth_conflict")


@case(
    GROUP,
    rule="the conflict page names nobody",
    mend=_MEND_PAGE,
    sessions=("bob",),
)
def the_page_names_nobody(bench: Bench) -> None:
    page = conflicting(bench).visit(CONFLICT)
    page.must(page.status == 200, "200")
    for name in ("alice", "bob"):
        person = bench.person(name)
        named = [text for text in (person.email, person.auther_id) if text in page.text]
        page.must(not named, f"nothing of {name} on the page")
    page.must("no-store" in page.headers.get("cache-control", ""), "Cache-Control: no-store")


@case(
    GROUP,
    rule="one CSRF-protected POST of the conflict page ends both sides and goes to the login",
    mend=_MEND_PAGE,
    sessions=("bob",),
)
def the_post_ends_both(bench: Bench) -> None:
    browser = conflicting(bench)
    answer = browser.post(CONFLICT, hidden_fields(browser.visit(CONFLICT)))
    answer.must(bench.is_login(answer), f"a redirect to {sorted(bench.login_paths)}")
    answer.must(bench.token_cookie not in browser.cookies, "the Auther cookie is removed")
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="the conflict page works in drain as in dual",
    mend=_MEND_PAGE,
    at=DRAIN,
    sessions=("bob",),
)
def the_post_ends_both_in_drain(bench: Bench) -> None:
    browser = conflicting(bench)
    answer = browser.post(CONFLICT, hidden_fields(browser.visit(CONFLICT)))
    answer.must(bench.is_login(answer), f"a redirect to {sorted(bench.login_paths)}")
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="a POST of the conflict page without its CSRF token changes nothing",
    mend="check the token of the page, and refuse an empty one",
    sessions=("bob",),
)
def the_post_needs_its_token(bench: Bench) -> None:
    browser = conflicting(bench)
    for fields in ({}, *_spoilt(hidden_fields(browser.visit(CONFLICT)))):
        answer = browser.post(CONFLICT, fields)
        answer.must(400 <= answer.status < 500, "a status of 4xx")
    _is_still_conflicting(bench, browser)


@case(
    GROUP,
    rule="a POST of the conflict page from another site changes nothing",
    mend="look at Origin and Sec-Fetch-Site, or use a token that another site cannot have",
    sessions=("bob",),
)
def the_post_of_another_site(bench: Bench) -> None:
    victim, attacker = conflicting(bench), conflicting(bench)
    fields = hidden_fields(attacker.visit(CONFLICT))
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = victim.post(CONFLICT, fields, headers=elsewhere)
    answer.must(400 <= answer.status < 500, "a status of 4xx")
    _is_still_conflicting(bench, victim)


def _spoilt(fields: dict[str, str]) -> tuple[dict[str, str], ...]:
    return (dict.fromkeys(fields, ""), dict.fromkeys(fields, "guessed"))


@case(
    GROUP,
    rule="the application's own logout works under conflict: it ends the legacy side, and the "
    "Auther cookie with it",
    mend="put the logout path on the exempt list, and end the Auther cookie wherever a session ends",
    needs=(Need.LOGOUT,),
    sessions=("bob",),
)
def logout_under_conflict(bench: Bench) -> None:
    logout = bench.profile.logout
    assert logout is not None
    browser = bench.fresh_session("bob")
    csrf = logout.csrf
    fields = {}
    if csrf is not None:
        fields = {csrf.field: bench.csrf_token(browser, logout.page or logout.path, csrf)}
    browser.cookies[bench.token_cookie] = bench.token("alice")
    answer = browser.post(logout.path, fields, method=logout.method)
    answer.must(answer.status in logout.accepted, f"one of {logout.accepted}")
    answer.must(bench.token_cookie not in browser.cookies, "the Auther cookie is removed")
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="a login at Auther works under conflict: whoever signs in there is the only one left",
    mend="the login's own paths are exempt; completing it ends the other side's session first",
    sessions=("bob",),
)
def login_under_conflict(bench: Bench) -> None:
    browser = conflicting(bench)
    log_in(bench, browser, "alice")
    bench.expect_user(bench.who(browser), "alice")
    browser.cookies.pop(bench.token_cookie, None)
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="completing a login at the legacy form ends the Auther cookie in that browser",
    mend="where a session gains a user, remove the Auther cookie first",
    needs=(Need.FORM, Need.TEST_ISSUER),
    sessions=("bob",),
)
def a_legacy_login_ends_the_auther_cookie(bench: Bench) -> None:
    browser = bench.browser(cookie=bench.token("alice", exp=1))
    form = bench.profile.form
    if form is None:
        raise CannotRunError(Need.FORM.value)
    answer = bench.send_form(browser, "bob")
    answer.must(answer.status in form.accepted, f"one of {form.accepted}")
    answer.must(bench.token_cookie not in browser.cookies, "the Auther cookie is removed")
    bench.expect_user(bench.who(browser), "bob")


@case(
    GROUP,
    rule="two Auther cookies in one request are malformed, even if both are good",
    mend="read all cookies of the name: nobody gets to choose which one counts",
    sessions=("bob",),
)
def two_cookies_of_one_name(bench: Bench) -> None:
    good = (bench.token_cookie, bench.token("alice"))
    for other in (good, (bench.token_cookie, OPAQUE)):
        for pair in ([good, other], [other, good]):
            browser = bench.browser(session="bob")
            browser.extra = pair
            bench.expect_refused(bench.who(browser), 401, "invalid_token")


@case(
    GROUP,
    rule="a forged cookie spoils one request only: the session beside it is not ended",
    mend="do not use the session in that request, and do not end it either",
    needs=(Need.TEST_ISSUER,),
    sessions=("bob",),
)
def a_forged_cookie_ends_nobody(bench: Bench) -> None:
    browser = bench.browser(session="bob", cookie=credential(bench, "forged"))
    bench.expect_refused(bench.who(browser), 401, "invalid_token")
    bench.expect_user(bench.who(browser), "bob")


@case(
    GROUP,
    rule="a forged session cookie is nobody's",
    mend="the framework's own check of the session cookie must run, and nothing may pass without it",
    sessions=("bob",),
)
def a_forged_session(bench: Bench) -> None:
    browser = bench.browser()
    for name, value in bench.session("bob").items():
        browser.cookies[name] = value[:8] + ("x" if value[8:9] != "x" else "y") + value[9:]
    bench.expect_user(bench.who(browser), None)


@case(
    GROUP,
    rule="a conflict is not ended by time: it is answered alike on every request",
    mend="the decision depends on the request alone",
    sessions=("bob",),
)
def a_conflict_stays_one(bench: Bench) -> None:
    browser = conflicting(bench)
    for _ in range(3):
        _is_still_conflicting(bench, browser)
    answer = bench.visit(browser)
    answer.must(answer.path == CONFLICT, f"a redirect to {CONFLICT}")


@case(
    "cookies",
    rule="the conflict page's form has a CSRF token; where the shim keeps it in a cookie of its own, "
    "that is HttpOnly, SameSite=Strict and for the whole origin",
    mend="set it like the others, but Strict: a POST that another site starts comes without it",
)
def the_conflict_cookie(bench: Bench) -> None:
    page = bench.browser().visit(CONFLICT)
    hidden_fields(page)
    own = [
        line for line in page.set_cookies if line.startswith(bench.site.cookie("auther_conflict"))
    ]
    for line in own:
        wanted = {"httponly", "samesite=strict", "path=/"}
        page.must(wanted <= attributes_of(line), f"the attributes {sorted(wanted)}")


CASES = (
    the_page_names_nobody,
    the_post_ends_both,
    the_post_ends_both_in_drain,
    the_post_needs_its_token,
    the_post_of_another_site,
    logout_under_conflict,
    login_under_conflict,
    a_legacy_login_ends_the_auther_cookie,
    two_cookies_of_one_name,
    a_forged_cookie_ends_nobody,
    a_forged_session,
    a_conflict_stays_one,
    the_conflict_cookie,
)
