"""Session exchange: from a legacy session to one at Auther without a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.conformance.browser import lifetime_s
from migrator.conformance.case import case
from migrator.conformance.cases.doors import remembered
from migrator.conformance.interface import DRAIN, DUAL, Need
from migrator.conformance.journey import Journey, journey

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench

GROUP = "exchange"
NEEDS = (Need.EXCHANGE, Need.TEST_ISSUER, Need.FORM)
_PAUSE_S, _MARGIN_S = 600, 30
_MEND = (
    "see the plugin's protocol: exchange/start gives the nonce's hash, the server asks for a ticket "
    "for (user, hash, client, challenge), exchange/redeem goes on into the code flow"
)


@case(
    GROUP,
    rule="in drain a page navigation with a valid legacy session becomes an Auther session, and "
    "the legacy session ends",
    mend=_MEND,
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def a_session_becomes_authers(bench: Bench) -> None:
    with journey(bench, "alice") as path:
        before = bench.metrics()
        answer = path.end(path.to_ticket())
        answer.must(answer.path == bench.profile.whoami, "back to the page that was asked for")
        bench.expect_user(bench.who(path.browser), "alice")
        answer.must(bench.token_cookie in path.browser.cookies, "an Auther cookie")
        alone = path.browser.copy()
        alone.cookies.pop(bench.token_cookie)
        bench.expect_user(bench.who(alone), None)
        grown = bench.metrics().grown_since(before, "auth_exchanges_total")
        answer.must(grown >= 1, "auth_exchanges_total grows")
    answer.must(bench.scene.home(bench.person("alice")) == "auther", "alice's home is auther")


@case(
    GROUP,
    rule="the pause begins with the exchange, and ends when it succeeds",
    mend="set auther_exchange_pause (600 s) before the redirect: who is stuck at Auther and comes "
    "back by hand must not be sent there again; remove it at the callback",
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice", "alice"),
)
def the_pause_begins_at_once(bench: Bench) -> None:
    name = bench.site.cookie("auther_exchange_pause")
    with journey(bench, "alice") as path:
        lasts_s = lifetime_s(path.begin().set_cookie(name)) or 0
        answer = bench.visit(path.browser)
        bench.expect_user(answer, "alice")
        answer.must(_PAUSE_S - _MARGIN_S < lasts_s <= _PAUSE_S, "a pause of ten minutes")
    with journey(bench, "alice") as path:
        answer = path.end(path.to_ticket())
        answer.must(name not in path.browser.cookies, "no pause after a success")


@case(
    GROUP,
    rule="the ticket is for this user, client, nonce and challenge, and asked for server to server",
    mend=_MEND,
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def the_ticket_is_bound(bench: Bench) -> None:
    with journey(bench, "alice") as path:
        asked = bench.issuer.plugin.from_now("exchange/ticket")
        answer = path.to_ticket()
        answer.must(len(asked()) == 1, "one ticket")
        ticket, query = asked()[0], answer.query
        wanted = (bench.person("alice").auther_id, bench.site.client_id)
        found = (ticket["id"], ticket["client_id"])
        answer.must(found == wanted, "a ticket for alice and this client")
        answer.must(query.get("code_challenge") == ticket["code_challenge"], "the same challenge")
        answer.must(
            {"state", "nonce", "redirect_uri", "ticket"} <= query.keys(), "the whole request"
        )


@case(
    GROUP,
    rule="a script's request is not exchanged",
    mend="exchange GET navigations only",
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def not_for_a_script(bench: Bench) -> None:
    bench.expect_user(bench.who(bench.fresh_session("alice")), "alice")


@case(
    GROUP,
    rule="in dual nothing is exchanged unless exchange_in_dual is set",
    mend="look at the stage and the setting",
    at=DUAL,
    needs=(*NEEDS, Need.NO_EXCHANGE_IN_DUAL),
    sessions=("alice",),
)
def not_in_dual(bench: Bench) -> None:
    bench.expect_user(bench.visit(bench.browser(session="alice")), "alice")


@case(
    GROUP,
    rule="pinned users are not exchanged: they stay on the legacy side",
    mend="look at pinned_reason before the first hop",
    at=DRAIN,
    needs=NEEDS,
    people=("pinned",),
    sessions=("pinned",),
)
def not_for_pinned(bench: Bench) -> None:
    bench.expect_user(bench.visit(bench.fresh_session("pinned")), "pinned")


@case(
    GROUP,
    rule="remember-me alone is exchanged, without a legacy session being made",
    mend="let the framework check the cookie without its hooks, then go through the two hops",
    at=DRAIN,
    needs=(*NEEDS, Need.REMEMBER_ME),
    people=("carol",),
    prepare=remembered,
)
def remember_me_becomes_authers(bench: Bench) -> None:
    form, browser = bench.profile.form, bench.prepared
    path = Journey(bench, browser)
    answer = path.end(path.to_ticket())
    path.close()
    bench.expect_user(bench.who(browser), "carol")
    name = form.remember_cookie if form else ""
    answer.must(name not in browser.cookies, f"{name} is removed")


@case(
    GROUP,
    rule="a second tab of a remembered browser stays signed in and does not disturb the exchange in "
    "the first, nor does a script; no legacy session is made",
    mend="while the pause holds, let whom the browser remembers be the user of this request alone",
    at=DRAIN,
    needs=(*NEEDS, Need.REMEMBER_ME),
    people=("carol",),
    prepare=remembered,
)
def remember_me_in_a_second_tab(bench: Bench) -> None:
    browser = bench.prepared
    path = Journey(bench, browser)
    url = path.at_auther(path.begin().location)
    bench.expect_user(bench.visit(browser), "carol")
    bench.expect_user(bench.who(browser), "carol")
    forgetful = browser.copy()
    forgetful.cookies.pop(bench.profile.form.remember_cookie if bench.profile.form else "")
    bench.expect_user(bench.who(forgetful), None)
    answer = path.end(path.back(url))
    path.close()
    answer.must(bench.token_cookie in browser.cookies, "an Auther cookie")
    bench.expect_user(bench.who(browser), "carol")


CASES = (
    a_session_becomes_authers,
    the_pause_begins_at_once,
    the_ticket_is_bound,
    not_for_a_script,
    not_in_dual,
    not_for_pinned,
    remember_me_becomes_authers,
    remember_me_in_a_second_tab,
)
