"""The stage: which documents are believed, and where the login button leads."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.conformance.browser import Browser, attributes_of
from migrator.conformance.case import Case, case
from migrator.conformance.interface import ALL_BROWSERS, AUTHER, DRAIN, DUAL, LEGACY, At, Need
from migrator.core.stage import bucket

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer

GROUP = "stage"
BUTTON = (Need.BUTTON,)
# A little more than a shim waits between two looks.
_A_GLANCE_S = 2.5
_LOOK_EVERY_S = 0.05
_BROWSERS = 40
_MEND_BUTTON = "first 8 bytes of sha256(salt + cookie) mod 100000, below percent * 1000"


@case(
    GROUP,
    rule="a document with a bad signature, an older epoch, another namespace or version, or no "
    "document at all, changes nothing",
    mend="keep the last good document, in memory and on disk; adopt only a higher epoch",
    sessions=("bob",),
)
def documents_that_are_ignored(bench: Bench) -> None:
    browser = bench.browser(session="bob")
    epoch = bench.metrics().epoch
    try:
        for name, text in bench.scene.spoilt_documents().items():
            bench.scene.put(text)
            _wait_until_read(bench)
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


def _wait_until_read(bench: Bench) -> None:
    """A shim that finds nothing good says that it goes on with its copy."""
    ends = time.monotonic() + _A_GLANCE_S
    while bench.metrics().info.get("source") == "live" and time.monotonic() < ends:
        time.sleep(_LOOK_EVERY_S)


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
    rule="the stage moves back as it moved forward, and signs nobody out on the way",
    mend="look at the stage on every request; keep nothing of it in a session",
    sessions=("bob",),
)
def forward_and_back(bench: Bench) -> None:
    browser = bench.browser(session="bob")
    token = bench.bearer("alice")
    for at in (LEGACY, DUAL, ALL_BROWSERS, DRAIN, ALL_BROWSERS, DUAL, LEGACY):
        bench.set_stage(at)
        bench.expect_user(bench.who(browser), "bob")
        bench.expect_user(bench.who(bench.browser(), token), "alice")


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
    needs=BUTTON,
)
def the_bucket_decides(bench: Bench) -> None:
    keys = [f"browser-{number}" for number in range(_BROWSERS)]
    cookie = bench.site.cookie("migrator_bucket")
    seen: list[set[str]] = []
    answer = _page(bench, bench.browser())
    for percent in (30.0, 60.25):
        bench.set_stage(replace(DUAL, percent=percent))
        at_auther = set()
        for key in keys:
            browser = Browser(bench.wire, {cookie: key})
            if _shows_auther(bench, browser):
                at_auther.add(key)
        wanted = {key for key in keys if bucket(bench.site.salt, key) < percent * 1000}
        odd = sorted(at_auther ^ wanted)
        answer.must(not odd, f"at {percent:g} % the sides of {odd} as their buckets say")
        seen.append(at_auther)
    answer.must(seen[0] <= seen[1], "a higher percentage moves nobody back")


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
    lines = [line for line in answer.set_cookies if line.startswith(f"{name}=")]
    answer.must(len(lines) == 1, f"one Set-Cookie of {name}")
    wanted = {"httponly", "samesite=lax", "path=/"}
    answer.must(wanted <= attributes_of(lines[0]), f"the attributes {sorted(wanted)}")
    kept = browser.cookies[name]
    _page(bench, browser)
    answer.must(browser.cookies[name] == kept, "the same bucket at the second visit")


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
    _button_case("legacy", LEGACY, auther=False),
    _button_case("dual-0", DUAL, auther=False),
    _button_case("dual-100", ALL_BROWSERS, auther=True),
    _button_case("drain", DRAIN, auther=True),
    _button_case("auther", AUTHER, auther=True),
)
