"""Silent renewal: on a person's way to a page only, for the same person only, and not for ever."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from migrator.conformance.bench import START, random_email
from migrator.conformance.case import case
from migrator.conformance.interface import DRAIN, LEGACY, Need
from migrator.conformance.logins import come_back, start
from migrator.conformance.signing_keys import SigningKey

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer, Browser

GROUP = "renewal"
NEEDS = (Need.TEST_ISSUER,)
_MEND = (
    "renew on a GET navigation whose cookie is expired and fits otherwise (signature, issuer, "
    "audience, sub), with no other person's session beside it"
)


def _expired(bench: Bench, name: str = "alice") -> Browser:
    return bench.browser(cookie=bench.token(name, exp=1))


def _is_renewal(answer: Answer) -> bool:
    leads = answer.path == START or "code_challenge" in answer.query
    return answer.status in {302, 303} and leads


def _begin(bench: Bench, browser: Browser) -> Answer:
    """Go to a page; give the redirect to Auther.

    Raises:
        MismatchError: Nothing is renewed.
    """
    answer = bench.visit(browser)
    answer.must(_is_renewal(answer), f"a redirect to {START} or to Auther: a renewal")
    return _to_auther(browser, answer)


def _to_auther(browser: Browser, answer: Answer) -> Answer:
    if answer.path == START:
        answer = browser.visit(answer.location)
        answer.must("code_challenge" in answer.query, "a redirect to Auther")
    return answer


def _fail(bench: Bench, browser: Browser, begun: Answer) -> Answer:
    """Come back as from an Auther where nobody is signed in any more."""
    state = begun.query["state"]
    return browser.visit(f"{bench.site.callback_path}?state={state}&error=login_required")


@case(GROUP, rule="an expired cookie is renewed on the way to a page", mend=_MEND, needs=NEEDS)
def on_a_page(bench: Bench) -> None:
    browser = _expired(bench)
    begun = _begin(bench, browser)
    answer = browser.visit(come_back(bench, begun, "alice"))
    answer.must(answer.path == bench.profile.whoami, "back to the page that was asked for")
    bench.expect_user(bench.who(browser), "alice")


@case(GROUP, rule="a script's request is never renewed", mend=_MEND, needs=NEEDS)
def not_for_a_script(bench: Bench) -> None:
    bench.expect_user(bench.who(_expired(bench)), None)


@case(GROUP, rule="nothing is renewed in stage legacy", mend=_MEND, at=LEGACY, needs=NEEDS)
def not_in_legacy(bench: Bench) -> None:
    answer = bench.visit(_expired(bench))
    answer.must(not _is_renewal(answer), "no renewal")


@case(
    GROUP,
    rule="renewal is offered only when signature, issuer and audience fit",
    mend=_MEND,
    needs=NEEDS,
)
def only_when_it_fits(bench: Bench) -> None:
    odd = (
        bench.token("alice", aud="another-client", exp=1),
        bench.token("alice", iss="https://elsewhere.example", exp=1),
        bench.token("alice", key=SigningKey(), exp=1),
    )
    for token in odd:
        answer = bench.visit(bench.browser(cookie=token))
        answer.must(not _is_renewal(answer), "no renewal")


@case(
    GROUP,
    rule="nothing is renewed over another person's legacy session: the session decides",
    mend=_MEND,
    needs=NEEDS,
    sessions=("bob",),
)
def not_over_another_session(bench: Bench) -> None:
    browser = bench.browser(session="bob", cookie=bench.token("alice", exp=1))
    bench.expect_user(bench.visit(browser), "bob")


@case(
    GROUP,
    rule="a renewal that comes back with another person signs nobody in: both sides are unused",
    mend="bind the attempt to the sub it renews; on another one refuse and remove the cookie",
    needs=NEEDS,
)
def identity_swap(bench: Bench) -> None:
    browser = _expired(bench)
    begun = _begin(bench, browser)
    before = bench.metrics()
    answer = browser.visit(come_back(bench, begun, "bob"))
    answer.must(bench.token_cookie not in browser.cookies, "no Auther cookie")
    bench.expect_user(bench.who(browser), None)
    grown = bench.metrics().grown_since(before, "auth_renewals_total", result="other_user")
    answer.must(grown == 1, 'auth_renewals_total{result="other_user"} grows by one')
    home = bench.scene.home(bench.person("bob"))
    answer.must(home == "legacy", "bob's home has not moved")


@case(
    GROUP,
    rule="an ordinary login may change the person: only a renewal is bound",
    mend="mark the attempt as a renewal; the button's attempts are not",
    needs=NEEDS,
)
def a_login_may_change_the_person(bench: Bench) -> None:
    browser = _expired(bench)
    answer = browser.visit(come_back(bench, start(browser), "bob"))
    answer.must(answer.status in {302, 303}, "a redirect")
    bench.expect_user(bench.who(browser), "bob")


@case(
    GROUP,
    rule="after three failed renewals in a row the cookie is treated as absent",
    mend="count failures in the cookie auther_renewals",
    needs=NEEDS,
)
def stops_after_three_failures(bench: Bench) -> None:
    browser = _expired(bench)
    expired = browser.cookies[bench.token_cookie]
    for _ in range(3):
        browser.cookies[bench.token_cookie] = expired
        _fail(bench, browser, _begin(bench, browser))
    browser.cookies[bench.token_cookie] = expired
    answer = bench.visit(browser)
    answer.must(not _is_renewal(answer), "no fourth renewal")


@case(
    GROUP,
    rule="a renewal leads nobody elsewhere: //host is no return path, not even when it fails",
    mend="clean the return path as it begins and as it ends",
    needs=NEEDS,
)
def a_return_path_that_leads_elsewhere(bench: Bench) -> None:
    browser = _expired(bench)
    answer = browser.visit(f"{bench.wire.base_url}//evil.example/x")
    if _is_renewal(answer):
        answer = _fail(bench, browser, _to_auther(browser, answer))
    bench.expect_here(answer)


@case(
    GROUP,
    rule="nobody is made a user by a token whose time is over",
    mend="look the person up for a renewal, and create no one",
    needs=(*NEEDS, Need.JIT),
)
def not_for_a_newcomer(bench: Bench) -> None:
    sub = f"verify-{secrets.token_hex(12)}"
    token = bench.issuer.make_token(sub, email=random_email(), exp=1)
    answer = bench.visit(bench.browser(cookie=token))
    answer.must(not _is_renewal(answer), "no renewal")
    answer.must(not bench.scene.users_of(sub), "no user was made")


@case(
    GROUP,
    rule="a POST is never renewed: it would be lost",
    mend=_MEND,
    needs=(*NEEDS, Need.POST),
)
def not_for_a_post(bench: Bench) -> None:
    post = bench.profile.post
    path = post.path if post else ""
    answer = _expired(bench).post(path, {})
    answer.must(not _is_renewal(answer), "no renewal")


@case(
    GROUP,
    rule="who may not sign in is not renewed: the ended cookie is as absent, and removed",
    mend="look the account up before the redirect",
    needs=NEEDS,
    people=("locked",),
)
def not_for_a_locked_user(bench: Bench) -> None:
    browser = _expired(bench, "locked")
    answer = bench.visit(browser)
    bench.expect_user(answer, None)
    answer.must(bench.token_cookie not in browser.cookies, "the Auther cookie is removed")


@case(
    GROUP,
    rule="a renewal that fails ends at a page that says so, and is counted",
    mend="show the page of a failed login: back at the page that was asked for, the next renewal "
    "would begin at once",
    needs=NEEDS,
)
def a_failure_is_shown(bench: Bench) -> None:
    browser = _expired(bench)
    begun = _begin(bench, browser)
    before = bench.metrics()
    answer = _fail(bench, browser, begun)
    answer.must(answer.status == 400, "a failed login: 400")
    for name, label in (
        ("auth_renewals_total", {"result": "failed"}),
        ("auth_logins_failed_total", {"reason": "refused_by_auther"}),
    ):
        grown = bench.metrics().grown_since(before, name, **label)
        answer.must(grown == 1, f"{name}{label} grows by one")


@case(
    GROUP,
    rule="an expired cookie is renewed in drain too",
    mend=_MEND,
    at=DRAIN,
    needs=NEEDS,
)
def in_drain(bench: Bench) -> None:
    browser = _expired(bench)
    browser.visit(come_back(bench, _begin(bench, browser), "alice"))
    bench.expect_user(bench.who(browser), "alice")


CASES = (
    on_a_page,
    not_for_a_script,
    not_in_legacy,
    only_when_it_fits,
    not_over_another_session,
    identity_swap,
    a_login_may_change_the_person,
    stops_after_three_failures,
    a_return_path_that_leads_elsewhere,
    not_for_a_newcomer,
    not_for_a_post,
    not_for_a_locked_user,
    a_failure_is_shown,
    in_drain,
)
