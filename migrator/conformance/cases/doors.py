"""Where a session gains a user: open by stage, home and pin, counted for each door."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from migrator.conformance.bench import START
from migrator.conformance.browser import Browser
from migrator.conformance.case import Case, case
from migrator.conformance.interface import AUTHER, DRAIN, DUAL, LEGACY, CannotRunError, Need

if TYPE_CHECKING:
    from migrator.config.verify import LoginFormSection
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer

GROUP = "doors"
_MEND = "close issuing where a session gains a user, not at the login form; count it for each door"
MEND_MOVED = (
    "verify a moved user's password at {plugin_url}/verify (1 s), and answer a wrong one like any "
    "wrong password: a stranger must not learn who moved"
)


def _form(bench: Bench) -> LoginFormSection:
    if bench.profile.form is None:
        raise CannotRunError(Need.FORM.value)
    return bench.profile.form


@dataclass(frozen=True)
class _Shown:
    """The legacy form as a browser was shown it."""

    browser: Browser
    fields: dict[str, str]
    headers: dict[str, str]


def _shown(bench: Bench, name: str = "alice") -> _Shown:
    """Fill the form in while it is shown; it is sent at another position of the switch."""
    form, browser, person = _form(bench), Browser(bench.wire), bench.person(name)
    fields = {**form.fields, form.email: person.email, form.password: person.password}
    if form.remember_me:
        fields[form.remember_me] = "1"
    if form.csrf is None:
        return _Shown(browser, fields, {})
    token = bench.csrf_token(browser, form.page or form.path, form.csrf)
    fields |= {form.csrf.field: token} if form.csrf.field else {}
    return _Shown(browser, fields, {form.csrf.header: token} if form.csrf.header else {})


def _send_shown(bench: Bench) -> tuple[Browser, Answer]:
    shown: _Shown = bench.prepared
    answer = shown.browser.post(_form(bench).path, shown.fields, headers=shown.headers)
    return shown.browser, answer


def expect_nobody(bench: Bench, browser: Browser, answer: Answer, name: str) -> None:
    """Expect that a canary is not signed in after an answer."""
    seen = bench.who(browser)
    answer.must(not bench.is_user(seen, name), f"{name} is not signed in afterwards")


def _open(bench: Bench) -> None:
    before = bench.metrics()
    browser = bench.sign_in("alice")
    grown = bench.metrics().grown_since(before, "auth_logins_total", door="form", side="legacy")
    answer = bench.who(browser)
    bench.expect_user(answer, "alice")
    answer.must(grown == 1, 'auth_logins_total{door="form",side="legacy"} grows by one')


def _closed(bench: Bench) -> None:
    before = bench.metrics()
    browser, answer = _send_shown(bench)
    grown = bench.metrics().grown_since(before, "auth_logins_refused_total", door="form")
    to_auther = answer.status == 303 and answer.path == START
    answer.must(to_auther, f"303 to {START}")
    answer.must(grown == 1, 'auth_logins_refused_total{door="form"} grows by one')
    remember = _form(bench).remember_cookie
    answer.must(not remember or remember not in browser.cookies, "no remember-me cookie")
    expect_nobody(bench, browser, answer, "alice")


@case(
    GROUP,
    rule="pinned users keep the legacy form in drain, whatever the percentage",
    mend="look at migrator_identity.pinned_reason where the session gains a user",
    at=DRAIN,
    needs=(Need.FORM,),
    people=("pinned",),
    prepare=partial(_shown, name="pinned"),
)
def pinned_in_drain(bench: Bench) -> None:
    browser, answer = _send_shown(bench)
    answer.must(answer.status in _form(bench).accepted, f"one of {_form(bench).accepted}")
    bench.expect_user(bench.who(browser), "pinned")


# Moved users


@case(
    GROUP,
    rule="a moved user's right password at the legacy form leads to Auther in dual",
    mend=MEND_MOVED,
    needs=(Need.FORM, Need.MOVED_LOGINS, Need.TEST_ISSUER),
    people=("moved",),
)
def moved_at_the_form(bench: Bench) -> None:
    asked = bench.issuer.plugin.from_now("verify")
    browser = bench.browser()
    answer = bench.send_form(browser, "moved")
    to_auther = answer.status == 303 and answer.path == START
    answer.must(to_auther, f"303 to {START}")
    expect_nobody(bench, browser, answer, "moved")
    verified = [one.get("id") for one in asked()]
    answer.must(bench.person("moved").auther_id in verified, "the plugin's verify was asked")


@case(
    GROUP,
    rule="a moved user's wrong password looks like anybody's: a stranger must not learn who moved",
    mend=MEND_MOVED,
    needs=(Need.FORM, Need.MOVED_LOGINS, Need.TEST_ISSUER),
    people=("moved",),
)
def moved_with_a_wrong_password(bench: Bench) -> None:
    answers = [
        bench.send_form(bench.browser(), name, password="wrong")  # noqa: S106
        for name in ("moved", "alice")
    ]
    first, second = (_without_what_varies(answer) for answer in answers)
    answers[0].must(first == second, "the same status, location and page as for alice")


def _without_what_varies(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.path


@case(
    GROUP,
    rule="with the plugin down a moved user's login is 503, and the password is not taken",
    mend="one second, then 503: never the legacy hash",
    needs=(Need.FORM, Need.MOVED_LOGINS, Need.TEST_ISSUER),
    people=("moved",),
)
def moved_with_the_plugin_down(bench: Bench) -> None:
    browser = bench.browser()
    with bench.issuer.plugin.down():
        answer = bench.send_form(browser, "moved")
    answer.must(answer.status == 503, "503")
    expect_nobody(bench, browser, answer, "moved")


@case(
    GROUP,
    rule="in stage legacy doors ignore the home: a moved user's form is the legacy one",
    mend="homes close doors in dual and drain only (except while a write-back is open)",
    at=LEGACY,
    needs=(Need.FORM,),
    people=("moved",),
)
def moved_in_legacy(bench: Bench) -> None:
    bench.expect_user(bench.who(bench.sign_in("moved")), "moved")


# Remember-me


def remembered(bench: Bench) -> Browser:
    """Give a browser with carol's remember-me cookie and no session.

    Nobody else's: a logout of alice's may end remember-me in all of her browsers.
    """
    form = _form(bench)
    browser = bench.sign_in("carol", remember=True)
    if form.remember_cookie not in browser.cookies:
        raise CannotRunError(f"the form set no cookie {form.remember_cookie}")
    browser.cookies.pop(form.session_cookie, None)
    return browser


@case(
    GROUP,
    rule="remember-me signs in in dual, and is a door of its own",
    mend=_MEND,
    needs=(Need.REMEMBER_ME,),
    people=("carol",),
)
def remember_me_in_dual(bench: Bench) -> None:
    browser = remembered(bench)
    before = bench.metrics()
    answer = bench.who(browser)
    grown = bench.metrics().grown_since(before, "auth_logins_total", door="remember_me")
    bench.expect_user(answer, "carol")
    answer.must(grown == 1, 'auth_logins_total{door="remember_me"} grows by one')


@case(
    GROUP,
    rule="remember-me makes no legacy session in drain",
    mend=_MEND,
    at=DRAIN,
    needs=(Need.REMEMBER_ME,),
    people=("carol",),
    prepare=remembered,
)
def remember_me_in_drain(bench: Bench) -> None:
    browser = bench.prepared
    answer = bench.visit(browser)
    answer.must(answer.status in {302, 303}, "a redirect to Auther")
    answer.must(
        _form(bench).session_cookie not in browser.cookies or not _holds(bench, browser),
        "no legacy session",
    )


def _holds(bench: Bench, browser: Browser) -> bool:
    alone = browser.copy()
    alone.cookies.pop(_form(bench).remember_cookie, None)
    return bench.is_user(bench.who(alone), "carol")


@case(
    GROUP,
    rule="remember-me is refused and removed in stage auther",
    mend="a remember-me cookie is a legacy credential",
    at=AUTHER,
    needs=(Need.REMEMBER_ME,),
    people=("carol",),
    prepare=remembered,
)
def remember_me_in_auther(bench: Bench) -> None:
    browser = bench.prepared
    bench.expect_refused(answer := bench.who(browser), 401, "legacy_ended")
    answer.must(_form(bench).remember_cookie not in browser.cookies, "the cookie is removed")


CASES = (
    *(
        Case(
            GROUP,
            f"form-open-in-{stage}",
            f"the legacy form is open in stage {stage}, and counted",
            _MEND,
            _open,
            at,
            needs=frozenset({Need.FORM}),
        )
        for stage, at in (("legacy", LEGACY), ("dual", DUAL))
    ),
    *(
        Case(
            GROUP,
            f"form-closed-in-{stage}",
            f"the legacy form signs nobody in in stage {stage}: it leads to Auther, and is counted",
            _MEND,
            _closed,
            at,
            needs=frozenset({Need.FORM}),
            prepare=_shown,
        )
        for stage, at in (("drain", DRAIN), ("auther", AUTHER))
    ),
    pinned_in_drain,
    moved_at_the_form,
    moved_with_a_wrong_password,
    moved_with_the_plugin_down,
    moved_in_legacy,
    remember_me_in_dual,
    remember_me_in_drain,
    remember_me_in_auther,
)
