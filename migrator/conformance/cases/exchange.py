"""Session exchange: from a legacy session to one at Auther without a password."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from migrator.conformance.browser import Browser, lifetime_s
from migrator.conformance.case import case
from migrator.conformance.cases.doors import remembered
from migrator.conformance.interface import DRAIN, DUAL, CannotRunError, Need
from migrator.conformance.issuer_http import SESSION_COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer
    from migrator.conformance.issuer import Issuer

GROUP = "exchange"
NEEDS = (Need.EXCHANGE, Need.TEST_ISSUER, Need.FORM)
STARTS = "/api/auth/migrator/exchange/start"
_PAUSE_S, _MARGIN_S = 600, 30
REDEEMS = "/api/auth/migrator/exchange/redeem"
_MEND = (
    "see the plugin's protocol: exchange/start gives the nonce's hash, the server asks for a ticket "
    "for (user, hash, client, challenge), exchange/redeem goes on into the code flow"
)
_MEND_SAFE = "any failure goes back to the page on the legacy session, and pauses for ten minutes"


class Journey:
    """One browser at both origins: the application, and the issuer."""

    def __init__(self, bench: Bench, browser: Browser) -> None:
        self.bench = bench
        self.browser = browser
        self.issuer: Issuer = bench.issuer
        self.auther = httpx.Client(trust_env=False, follow_redirects=False)

    def begin(self) -> Answer:
        """Go to a page; it leads to the exchange.

        Raises:
            MismatchError: It does not.
        """
        answer = self.bench.visit(self.browser)
        begins = answer.status in {302, 303} and answer.path == STARTS
        answer.must(begins, f"a redirect to {STARTS} at Auther")
        return answer

    def at_auther(self, url: str) -> str:
        """Follow a URL at Auther; give where it leads."""
        found = self.auther.get(url)
        if found.status_code not in {302, 303}:
            raise CannotRunError(f"the issuer answers {found.status_code} to {urlsplit(url).path}")
        return str(found.headers["location"])

    def back(self, url: str) -> Answer:
        """Come back to the application."""
        parts = urlsplit(url)
        return self.browser.visit(f"{parts.path}?{parts.query}")

    def to_ticket(self) -> Answer:
        """Go through both hops up to the redirect to `redeem`."""
        return self.back(self.at_auther(self.begin().location))

    def end(self, with_ticket: Answer) -> Answer:
        """Redeem, go on into the code flow, and come back to the callback."""
        leads = with_ticket.status in {302, 303} and with_ticket.path == REDEEMS
        with_ticket.must(leads, f"a redirect to {REDEEMS} at Auther")
        authorize = self.at_auther(with_ticket.location)
        return self.back(self.at_auther(authorize))

    def close(self) -> None:
        """Close the connection to the issuer."""
        self.auther.close()


@contextmanager
def journey(bench: Bench, name: str) -> Iterator[Journey]:
    """Give a journey of a canary's browser."""
    made = Journey(bench, bench.fresh_session(name))
    try:
        yield made
    finally:
        made.close()


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
    rule="an exchange that fails leads nobody elsewhere: //host is no return path",
    mend="clean the return path as it begins and as it ends, in failure too",
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def a_return_path_that_leads_elsewhere(bench: Bench) -> None:
    with journey(bench, "alice") as path:
        answer = path.browser.visit(f"{bench.wire.base_url}//evil.example/x")
        if answer.path == STARTS:
            url = path.at_auther(answer.location)
            bench.issuer.plugin.mode = "down"
            try:
                answer = path.back(url)
            finally:
                bench.issuer.plugin.mode = "ok"
        bench.expect_here(answer)


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
        calls = len(bench.issuer.plugin.called("exchange/ticket"))
        answer = path.to_ticket()
        asked = bench.issuer.plugin.called("exchange/ticket")[calls:]
        answer.must(len(asked) == 1, "one ticket")
        wanted = (bench.person("alice").auther_id, bench.site.client_id)
        found = (asked[0]["id"], asked[0]["client_id"])
        answer.must(found == wanted, "a ticket for alice and this client")
        query = answer.query
        answer.must(
            query.get("code_challenge") == asked[0]["code_challenge"], "the same challenge"
        )
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


def _back_on_the_session(bench: Bench, path: Journey, answer: Answer) -> None:
    """Expect that a failed exchange leaves the person signed in, and is not begun again at once."""
    answer.must(answer.path == bench.profile.whoami, "back to the page that was asked for")
    bench.expect_user(bench.who(path.browser), "alice")
    bench.expect_user(bench.visit(path.browser), "alice")


@case(
    GROUP,
    rule="who was banned at Auther gets no ticket, and goes back to the page on the legacy session",
    mend=_MEND_SAFE,
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def banned_at_auther(bench: Bench) -> None:
    plugin, alice = bench.issuer.plugin, bench.person("alice")
    plugin.banned.add(alice.auther_id)
    try:
        with journey(bench, "alice") as path:
            _back_on_the_session(bench, path, path.to_ticket())
    finally:
        plugin.banned.discard(alice.auther_id)


@case(
    GROUP,
    rule="who is banned at Auther when the ticket is redeemed goes back to the page as well",
    mend=_MEND_SAFE,
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def banned_at_the_last_moment(bench: Bench) -> None:
    plugin, alice = bench.issuer.plugin, bench.person("alice")
    with journey(bench, "alice") as path:
        answer = path.to_ticket()
        plugin.banned.add(alice.auther_id)
        try:
            back = path.back(path.at_auther(answer.location))
        finally:
            plugin.banned.discard(alice.auther_id)
        _back_on_the_session(bench, path, back)


@case(
    GROUP,
    rule="another person's session at Auther is left alone, and the legacy session here too",
    mend=_MEND_SAFE,
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def another_person_at_auther(bench: Bench) -> None:
    with journey(bench, "alice") as path:
        bobs = bench.issuer.begin_session(bench.person("bob").auther_id)
        path.auther.cookies.set(SESSION_COOKIE, bobs)
        answer = path.to_ticket()
        _back_on_the_session(bench, path, path.back(path.at_auther(answer.location)))


@case(
    GROUP,
    rule="with the plugin down people stay on the legacy session, and are not asked again at once",
    mend=_MEND_SAFE,
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def plugin_down(bench: Bench) -> None:
    with journey(bench, "alice") as path:
        url = path.at_auther(path.begin().location)
        bench.issuer.plugin.mode = "down"
        try:
            answer = path.back(url)
        finally:
            bench.issuer.plugin.mode = "ok"
        _back_on_the_session(bench, path, answer)


@case(
    GROUP,
    rule="a return with another browser's state gets no ticket",
    mend="bind the attempt to a cookie, as for a login",
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice", "bob"),
)
def state_of_another_browser(bench: Bench) -> None:
    with journey(bench, "bob") as attacker, journey(bench, "alice") as victim:
        url = attacker.at_auther(attacker.begin().location)
        calls = len(bench.issuer.plugin.called("exchange/ticket"))
        answer = victim.back(url)
        asked = len(bench.issuer.plugin.called("exchange/ticket")) - calls
        answer.must(asked == 0, "no ticket is asked for")
        bench.expect_user(bench.who(victim.browser), "alice")


@case(
    GROUP,
    rule="a ticket in another browser signs nobody in",
    mend="the nonce's cookie at Auther and the attempt's cookie here bind it to one browser",
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def ticket_in_another_browser(bench: Bench) -> None:
    with journey(bench, "alice") as path:
        answer = path.to_ticket()
        thief = Journey(bench, Browser(bench.wire))
        back = thief.back(thief.at_auther(answer.location))
        back.must(bench.token_cookie not in thief.browser.cookies, "no Auther cookie")
        bench.expect_user(bench.who(thief.browser), None)
        thief.close()


@case(
    GROUP,
    rule="the callback of an exchange must bring that user: another sub signs nobody in",
    mend="bind the attempt to the sub of the session that is exchanged",
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def another_sub_at_the_callback(bench: Bench) -> None:
    with journey(bench, "alice") as path:
        answer = path.to_ticket()
        bench.issuer.id_token_overrides = {"sub": bench.person("bob").auther_id}
        try:
            path.end(answer)
        finally:
            bench.issuer.id_token_overrides = {}
        seen = bench.who(path.browser)
        seen.must(not bench.is_user(seen, "bob"), "bob is not signed in")


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


CASES = (
    a_session_becomes_authers,
    the_pause_begins_at_once,
    a_return_path_that_leads_elsewhere,
    the_ticket_is_bound,
    not_for_a_script,
    not_in_dual,
    not_for_pinned,
    banned_at_auther,
    banned_at_the_last_moment,
    another_person_at_auther,
    plugin_down,
    state_of_another_browser,
    ticket_in_another_browser,
    another_sub_at_the_callback,
    remember_me_becomes_authers,
)
