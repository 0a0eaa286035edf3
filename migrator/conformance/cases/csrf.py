"""CSRF protection follows the credential that was used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.conformance.bench import bearer
from migrator.conformance.case import case
from migrator.conformance.cases.table import OPAQUE
from migrator.conformance.interface import CannotRunError, Need

if TYPE_CHECKING:
    from migrator.config.verify import FormSection
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer, Browser

GROUP = "csrf"
NEEDS = (Need.POST,)
_MEND = "skip the check only for a request that the Authorization header alone authenticated"


def _form(bench: Bench) -> FormSection:
    if bench.profile.post is None:
        raise CannotRunError(Need.POST.value)
    return bench.profile.post


def _without_token(bench: Bench, browser: Browser, *headers: tuple[str, str]) -> Answer:
    form = _form(bench)
    return browser.post(form.path, form.fields, headers=dict(headers))


def _with_token(bench: Bench, browser: Browser) -> Answer:
    form = _form(bench)
    return bench.fill_in(browser, form.page or form.path, form.path, form.fields, form.csrf)


def _taken(bench: Bench, answer: Answer, by: str) -> None:
    body = answer.json()
    said = str(body.get("by")) if isinstance(body, dict) else ""
    wanted = bench.person(by).user_pk
    answer.must(
        answer.status in _form(bench).accepted and said == wanted, f"accepted, and done by {by}"
    )


def _not_taken(answer: Answer) -> None:
    answer.must(400 <= answer.status < 500, "a status of 4xx: not accepted")


@case(
    GROUP, rule="a header needs no CSRF token: no other site can send it", mend=_MEND, needs=NEEDS
)
def header_needs_none(bench: Bench) -> None:
    _taken(bench, _without_token(bench, bench.browser(), bench.bearer("alice")), "alice")


@case(GROUP, rule="a session needs its CSRF token", mend=_MEND, needs=NEEDS, sessions=("bob",))
def session_needs_its_token(bench: Bench) -> None:
    browser = bench.fresh_session("bob")
    _not_taken(_without_token(bench, browser))
    _taken(bench, _with_token(bench, browser), "bob")


@case(
    GROUP, rule="the Auther cookie needs a CSRF token as a session does", mend=_MEND, needs=NEEDS
)
def cookie_needs_the_token(bench: Bench) -> None:
    browser = bench.browser(cookie=bench.token("alice"))
    _not_taken(_without_token(bench, browser))
    _taken(bench, _with_token(bench, browser), "alice")


@case(
    GROUP,
    rule="a header that was not accepted skips nothing",
    mend=_MEND,
    needs=NEEDS,
    sessions=("bob",),
)
def a_header_not_accepted_skips_nothing(bench: Bench) -> None:
    for header in (
        bearer(OPAQUE),
        ("Authorization", "Basic eDp5"),
        ("Authorization", "Negotiate x"),
    ):
        _not_taken(_without_token(bench, bench.browser(session="bob"), header))


@case(
    GROUP,
    rule="a header beside a cookie counts as the header: the cookie is not looked at",
    mend=_MEND,
    needs=NEEDS,
)
def header_beside_a_cookie(bench: Bench) -> None:
    browser = bench.browser(cookie=bench.token("bob"))
    _taken(bench, _without_token(bench, browser, bench.bearer("alice")), "alice")


@case(
    GROUP,
    rule="a header beside a session of the same person counts as the header",
    mend=_MEND,
    needs=NEEDS,
    sessions=("alice",),
)
def header_beside_the_own_session(bench: Bench) -> None:
    browser = bench.browser(session="alice")
    _taken(bench, _without_token(bench, browser, bench.bearer("alice")), "alice")


@case(
    GROUP,
    rule="a header beside another person's session does nothing at all",
    mend=_MEND,
    needs=NEEDS,
    sessions=("bob",),
)
def header_beside_another_session(bench: Bench) -> None:
    browser = bench.browser(session="bob")
    answer = _without_token(bench, browser, bench.bearer("alice"))
    bench.expect_refused(answer, 401, "auth_conflict")


CASES = (
    header_needs_none,
    session_needs_its_token,
    cookie_needs_the_token,
    a_header_not_accepted_skips_nothing,
    header_beside_a_cookie,
    header_beside_the_own_session,
    header_beside_another_session,
)
