"""Accounts that may not sign in: refused on both paths, and nobody else is harmed by it."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from migrator.conformance.bench import bearer
from migrator.conformance.case import Case, case
from migrator.conformance.interface import AUTHER, DRAIN, LEGACY, At, Need

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer, Browser

GROUP = "people"
# Unconfirmed and deleted mean the same to every framework; "attempts" is a lock by failed attempts.
DISABLED = ("locked", "attempts", "unconfirmed", "deleted")
_MEND = (
    "ask the framework whether the account may sign in before any of its hooks run: hooks would "
    "sign out whoever else is in this request"
)
_SOON = timedelta(seconds=10)
_KNOWN_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.1


def _by_header(bench: Bench, name: str) -> None:
    browser = bench.browser(session="bob")
    before = bench.metrics()
    answer = bench.who(browser, bench.bearer(name))
    counted = bench.metrics().requests_since(before)
    bench.expect_refused(answer, 401, "invalid_token")
    bench.expect_counted(answer, counted, "auther refused disabled")
    bench.expect_user(bench.who(browser), "bob")


def _by_cookie(bench: Bench, name: str) -> None:
    browser = bench.browser(session="bob", cookie=bench.token(name))
    answer = bench.who(browser)
    bench.expect_refused(answer, 401, "invalid_token")
    browser.cookies.pop(bench.token_cookie, None)
    bench.expect_user(bench.who(browser), "bob")


def _on_a_page(bench: Bench, name: str) -> None:
    answer = bench.visit(bench.browser(cookie=bench.token(name)))
    answer.must(bench.is_login(answer), f"a redirect to {sorted(bench.login_paths)}")


def _at_the_form(bench: Bench, name: str) -> None:
    browser = bench.browser()
    bench.send_form(browser, name)
    answer = bench.who(browser)
    answer.must(not bench.is_user(answer, name), f"the form signs {name} in for nothing")


def _in_stage(stage: str, at: At, name: str) -> Case:
    return Case(
        GROUP,
        f"{name}-in-{stage}",
        f"the token of a canary that is {name} is refused in stage {stage}",
        _MEND,
        lambda bench: bench.expect_refused(
            bench.who(bench.browser(), bench.bearer(name)), 401, "invalid_token"
        ),
        at,
        people=(name,),
    )


@case(
    GROUP,
    rule="a lock that failed attempts imposed counts on the legacy path only for moved users",
    mend="for home = auther ignore a lock whose failed_attempts reached the maximum",
    people=("attempts",),
)
def attempts_and_moved(bench: Bench) -> None:
    bench.scene.change(bench.person("attempts"), home="auther")
    bench.expect_user(bench.who(bench.browser(), bench.bearer("attempts")), "attempts")


@case(
    GROUP,
    rule="any other lock counts for moved users too",
    mend="for home = auther ignore only a lock that failed attempts imposed",
    people=("locked",),
)
def locked_and_moved(bench: Bench) -> None:
    bench.scene.change(bench.person("locked"), home="auther")
    answer = bench.who(bench.browser(), bench.bearer("locked"))
    bench.expect_refused(answer, 401, "invalid_token")


@case(
    GROUP,
    rule="an Auther credential is refused for pinned users (reason=pinned)",
    mend="look at migrator_identity.pinned_reason before the account's state",
    people=("pinned",),
)
def pinned_by_token(bench: Bench) -> None:
    before = bench.metrics()
    answer = bench.who(bench.browser(), bench.bearer("pinned"))
    counted = bench.metrics().requests_since(before)
    bench.expect_refused(answer, 401, "invalid_token")
    bench.expect_counted(answer, counted, "auther refused pinned")


@case(
    GROUP,
    rule="pinned users keep their legacy session",
    mend="pinned_reason closes the Auther side only",
    people=("pinned",),
    sessions=("pinned",),
)
def pinned_by_session(bench: Bench) -> None:
    bench.expect_user(bench.who(bench.browser(session="pinned")), "pinned")


@case(
    GROUP,
    rule="a moved user's legacy session stays good in dual and drain",
    mend="home closes doors, never a live session",
    at=DRAIN,
    sessions=("alice",),
)
def moved_keeps_the_session(bench: Bench) -> None:
    browser = bench.browser(session="alice")
    bench.scene.change(bench.person("alice"), home="auther")
    bench.expect_user(bench.who(browser), "alice")


@case(
    GROUP,
    rule="once auth_valid_after is set for a moved user, that user's legacy sessions are refused, "
    "within five seconds",
    mend="for home = auther compare auth_valid_after with the legacy session too; a shim that asks "
    "the database nothing for a legacy session reads those users' list every few seconds",
    people=("carol",),
    sessions=("carol",),
)
def logged_out_everywhere_and_moved(bench: Bench) -> None:
    browser = bench.fresh_session("carol")
    bench.scene.change(bench.person("carol"), home="auther", auth_valid_after=bench.clock.now())
    answer = _carol_eventually(bench, lambda: browser, is_there=False)
    answer.must(not bench.is_user(answer, "carol"), "carol's legacy session is refused")
    bench.scene.restore()
    _carol_eventually(bench, lambda: bench.fresh_session("carol"), is_there=True)


def _carol_eventually(bench: Bench, browser: Callable[[], Browser], *, is_there: bool) -> Answer:
    """Ask until the application sees carol, or no longer does; gives the last answer."""
    ends = time.monotonic() + _KNOWN_WITHIN_S
    while True:
        answer = bench.who(browser())
        if bench.is_user(answer, "carol") is is_there or time.monotonic() > ends:
            return answer
        time.sleep(_LOOK_EVERY_S)


@case(
    GROUP,
    rule="a token whose `iat`, in whole seconds, lies before auth_valid_after is refused",
    mend="compare floor(iat in seconds) with auth_valid_after on every request, past any cache",
)
def logged_out_everywhere(bench: Bench) -> None:
    token = bench.token("alice")
    bench.expect_user(bench.who(bench.browser(), bearer(token)), "alice")
    bench.scene.change(bench.person("alice"), auth_valid_after=bench.clock.now() + _SOON)
    before = bench.metrics()
    answer = bench.who(bench.browser(), bearer(token))
    counted = bench.metrics().requests_since(before)
    bench.expect_refused(answer, 401, "invalid_token")
    bench.expect_counted(answer, counted, "auther refused revoked")


@case(
    GROUP,
    rule="a cookie from before a logout everywhere is as absent and removed; the session decides",
    mend="revoked is a stale cookie, not a forged one",
    sessions=("bob",),
)
def logged_out_everywhere_by_cookie(bench: Bench) -> None:
    browser = bench.browser(session="bob", cookie=bench.token("alice"))
    bench.scene.change(bench.person("alice"), auth_valid_after=bench.clock.now() + _SOON)
    answer = bench.who(browser)
    bench.expect_user(answer, "bob")
    answer.must(bench.token_cookie not in browser.cookies, "the Auther cookie is removed")


@case(
    GROUP,
    rule="without `iat` nothing says that a token came after a logout everywhere: refused",
    mend="treat a missing iat as older than any auth_valid_after",
    needs=(Need.TEST_ISSUER,),
)
def logged_out_everywhere_without_iat(bench: Bench) -> None:
    after = bench.clock.now() - timedelta(days=1)
    bench.scene.change(bench.person("alice"), auth_valid_after=after)
    answer = bench.who(bench.browser(), bench.bearer("alice", iat=None))
    bench.expect_refused(answer, 401, "invalid_token")


@case(
    GROUP,
    rule="a token from after a logout everywhere is good, also when `iat` is in milliseconds",
    mend="divide an iat above 1e11 by 1000, then floor it",
)
def signed_in_again(bench: Bench) -> None:
    after = bench.clock.now() - timedelta(hours=1)
    bench.scene.change(bench.person("alice"), auth_valid_after=after)
    bench.expect_user(bench.who(bench.browser(), bench.bearer("alice")), "alice")


@case(
    GROUP,
    rule="who was banned at Auther is out: the ban's event sets auth_valid_after, in every stage",
    mend="look auth_valid_after up on every request; it is not part of the token",
    at=AUTHER,
)
def banned(bench: Bench) -> None:
    token = bench.token("alice")
    bench.scene.change(bench.person("alice"), auth_valid_after=bench.clock.now() + _SOON)
    answer = bench.who(bench.browser(), bearer(token))
    bench.expect_refused(answer, 401, "invalid_token")


@case(
    GROUP,
    rule="a request with a token begins no session",
    mend="set the user for this request only, without the framework's hooks",
)
def a_token_makes_no_session(bench: Bench) -> None:
    browser = bench.browser()
    answer = bench.who(browser, bench.bearer("alice"))
    bench.expect_user(answer, "alice")
    answer.must(not answer.set_cookies, "no cookie is set for a request with a token")


@case(
    GROUP,
    rule="a request with a token leaves the browser's own session alone",
    mend="no session renewal and no new CSRF token for a request that a header authenticated",
    sessions=("alice",),
)
def a_token_leaves_the_session_alone(bench: Bench) -> None:
    browser = bench.fresh_session("alice")
    bench.expect_user(bench.who(browser, bench.bearer("alice")), "alice")
    bench.expect_user(bench.who(browser), "alice")


CASES = (
    *(
        Case(
            GROUP,
            f"{name}-{how}",
            f"a canary that is {name} is refused {words}, and bob beside it stays signed in",
            _MEND,
            partial(check, name=name),
            needs=needs,
            people=(name,),
            sessions=("bob",) if Need.FORM in needs and how != "at-the-form" else (),
        )
        for name in DISABLED
        for how, words, check, needs in (
            ("by-header", "by header", _by_header, frozenset({Need.FORM})),
            ("by-cookie", "by cookie", _by_cookie, frozenset({Need.FORM})),
            ("on-a-page", "on a page", _on_a_page, frozenset()),
            ("at-the-form", "at the legacy form", _at_the_form, frozenset({Need.FORM})),
        )
    ),
    *(
        _in_stage(stage, at, name)
        for stage, at in (("legacy", LEGACY), ("auther", AUTHER))
        for name in DISABLED
    ),
    attempts_and_moved,
    locked_and_moved,
    pinned_by_token,
    pinned_by_session,
    moved_keeps_the_session,
    logged_out_everywhere_and_moved,
    logged_out_everywhere,
    logged_out_everywhere_by_cookie,
    logged_out_everywhere_without_iat,
    signed_in_again,
    banned,
    a_token_makes_no_session,
    a_token_leaves_the_session_alone,
)
