"""The stage: which documents are believed, and where the login button leads."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from migrator.conformance.bench import Bench
from migrator.conformance.browser import Browser, attributes_of
from migrator.conformance.case import Case, case
from migrator.conformance.interface import ALL_BROWSERS, AUTHER, DRAIN, DUAL, LEGACY, At, Need
from migrator.core.stage import Stage, bucket

if TYPE_CHECKING:
    from migrator.conformance.browser import Answer

GROUP = "stage"
BUTTON = (Need.BUTTON,)
_MARGIN_S = 0.1
_BROWSERS = 40
_SOME = At(Stage.DUAL, 30.25)
_MEND_BUTTON = "first 8 bytes of sha256(salt + cookie) mod 100000, below percent * 1000"


@case(
    GROUP,
    rule="a document with a bad signature, an older epoch, another content for the same epoch, "
    "another namespace, or no document at all, changes nothing",
    mend="keep the last good document, in memory and on disk; adopt only a higher epoch",
    sessions=("bob",),
)
def documents_that_are_ignored(bench: Bench) -> None:
    browser = bench.browser(session="bob")
    epoch, look_s = bench.metrics().epoch, bench.profile.stage_every.total_seconds()
    try:
        for name, text in bench.scene.spoilt_documents().items():
            bench.scene.put(text)
            time.sleep(look_s + _MARGIN_S)
            answer = bench.who(browser)
            answer.must(bench.is_user(answer, "bob"), f"a document {name} changes nothing")
            found = bench.metrics()
            is_same = (found.epoch, found.info.get("stage")) == (epoch, "dual")
            answer.must(
                is_same, f"epoch {epoch} and stage dual are reported with a document {name}"
            )
    finally:
        bench.at = None
        bench.set_stage(DUAL)


@case(
    GROUP,
    rule="the instance says which build, baked stage, stage and epoch it runs, and where from",
    mend="export migrator_shim_info with all of its labels",
)
def reports_itself(bench: Bench) -> None:
    answer = Browser(bench.wire).get(bench.profile.whoami)
    info = bench.metrics().info
    labels = {"instance", "build", "baked", "stage", "epoch", "source"}
    answer.must(labels <= info.keys(), f"the labels {sorted(labels)}, not {sorted(info)}")
    answer.must(info["source"] == "live", f'source="live", not "{info["source"]}"')


@case(
    GROUP,
    rule="when the stage has gone forward and back, who was signed in before still is",
    mend="look at the stage on every request; keep nothing of it in a session",
    needs=(Need.FORM,),
    prepare=partial(Bench.sign_in, name="bob"),
    last=True,
)
def forward_and_back(bench: Bench) -> None:
    bench.expect_user(bench.who(bench.prepared), "bob")


# The login button


def _shows_auther(bench: Bench, browser: Browser) -> bool:
    button = bench.profile.button
    return button is not None and button.auther in _page(bench, browser).text


def _page(bench: Bench, browser: Browser) -> Answer:
    button = bench.profile.button
    answer = browser.visit(button.page if button else "")
    answer.must(answer.status == 200, "200 for the login page")
    return answer


def _everybody(bench: Bench, *, auther: bool) -> None:
    for _ in range(5):
        browser = bench.browser()
        answer = _page(bench, browser)
        where = "Auther" if auther else "the legacy form"
        answer.must(_shows_auther(bench, browser) is auther, f"the button leads to {where}")


@case(
    GROUP,
    rule="a browser's side is its bucket's: sha256(salt + cookie), sticky and exact to 0.01 %",
    mend=_MEND_BUTTON,
    at=_SOME,
    needs=BUTTON,
)
def the_bucket_decides(bench: Bench) -> None:
    keys = [f"browser-{number}" for number in range(_BROWSERS)]
    cookie = bench.site.cookie("migrator_bucket")
    answer = _page(bench, bench.browser())
    at_auther = {key for key in keys if _shows_auther(bench, Browser(bench.wire, {cookie: key}))}
    wanted = {key for key in keys if bucket(bench.site.salt, key) < _SOME.percent * 1000}
    odd = sorted(at_auther ^ wanted)
    answer.must(not odd, f"the sides of {odd} as their buckets say")


@case(
    GROUP,
    rule="a browser gets its bucket at the login page, keeps it, and gets none elsewhere",
    mend="set migrator_bucket where the button is rendered: HttpOnly, SameSite=Lax, 400 days",
    needs=BUTTON,
)
def the_bucket_cookie(bench: Bench) -> None:
    browser, name = bench.browser(), bench.site.cookie("migrator_bucket")
    elsewhere = bench.who(browser)
    elsewhere.must(name not in browser.cookies, "no bucket outside of the login page")
    answer = _page(bench, browser)
    wanted = {"httponly", "samesite=lax", "path=/"}
    answer.must(
        wanted <= attributes_of(answer.set_cookie(name)), f"the attributes {sorted(wanted)}"
    )
    kept = browser.cookies[name]
    _page(bench, browser)
    answer.must(browser.cookies[name] == kept, "the same bucket at the second visit")


@case(
    GROUP,
    rule="in dual who belongs to a cohort that the document names signs in at Auther, whatever the "
    "bucket, and nobody else does",
    mend="read cohorts from the stage document, and give the login button the visitor's",
    needs=(*BUTTON, Need.COHORT),
)
def a_cohort_goes_first(bench: Bench) -> None:
    button = bench.profile.button
    cohort, page = (button.cohort, button.cohort_page) if button else ("", "")
    for named in ("others", cohort):
        bench.set_stage(At(Stage.DUAL, cohorts=(named,)))
        answer = bench.browser().visit(page)
        at_auther = button is not None and button.auther in answer.text
        answer.must(
            at_auther is (named == cohort), f"the side of {cohort} with cohort {named} named"
        )
        _everybody(bench, auther=False)


def _button_case(name: str, at: At, *, auther: bool) -> Case:
    where = "Auther" if auther else "the legacy form"
    return Case(
        GROUP,
        f"button-in-{name}",
        f"in {name.replace('-', ' ')} the login leads to {where} for every browser",
        _MEND_BUTTON,
        lambda bench: _everybody(bench, auther=auther),
        at,
        needs=frozenset(BUTTON),
    )


CASES = (
    documents_that_are_ignored,
    reports_itself,
    forward_and_back,
    the_bucket_decides,
    the_bucket_cookie,
    a_cohort_goes_first,
    _button_case("legacy", LEGACY, auther=False),
    _button_case("dual-0", DUAL, auther=False),
    _button_case("dual-100", ALL_BROWSERS, auther=True),
    _button_case("drain", DRAIN, auther=True),
    _button_case("auther", AUTHER, auther=True),
)
