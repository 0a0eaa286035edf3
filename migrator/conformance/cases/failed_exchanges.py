"""Session exchanges that come to no end: the person stays on the legacy session, nobody else gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.conformance.browser import Browser
from migrator.conformance.case import case
from migrator.conformance.cases.exchange import GROUP, NEEDS
from migrator.conformance.interface import AFTER_DEADLINE, AUTHER, DRAIN, LEGACY
from migrator.conformance.issuer_http import SESSION_COOKIE
from migrator.conformance.journey import STARTS, Journey, journey

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer

_MEND_SAFE = "any failure goes back to the page on the legacy session, and pauses for ten minutes"


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
            with bench.issuer.plugin.down():
                answer = path.back(url)
        bench.expect_here(answer)


def _back_on_the_session(bench: Bench, path: Journey, answer: Answer) -> None:
    """Expect that a failed exchange leaves the person signed in, and is not begun again at once."""
    answer.must(answer.path == bench.profile.whoami, "back to the page that was asked for")
    pause = f"{bench.site.cookie('auther_exchange_pause')}="
    anew = [line for line in answer.set_cookies if line.startswith(pause)]
    answer.must(not anew, "the pause that began with the exchange, and no other one")
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
    banning = bench.issuer.plugin.banning(bench.person("alice").auther_id)
    with banning, journey(bench, "alice") as path:
        _back_on_the_session(bench, path, path.to_ticket())


@case(
    GROUP,
    rule="who is banned at Auther when the ticket is redeemed goes back to the page as well",
    mend=_MEND_SAFE,
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice",),
)
def banned_at_the_last_moment(bench: Bench) -> None:
    with journey(bench, "alice") as path:
        answer = path.to_ticket()
        with bench.issuer.plugin.banning(bench.person("alice").auther_id):
            back = path.back(path.at_auther(answer.location))
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
        before = bench.metrics()
        with bench.issuer.plugin.down():
            answer = path.back(url)
        after = bench.metrics()
        _back_on_the_session(bench, path, answer)
    grown = after.grown_since(before, "auth_exchanges_total", result="failed")
    answer.must(grown == 1, 'auth_exchanges_total{result="failed"} grows by one')
    grown = after.grown_since(before, "auth_logins_failed_total")
    answer.must(grown == 0, "no failed login is counted: everybody is as signed in as before")


# What the stage may have become between the two hops.
_STAGES_AFTER = {"auther": AUTHER, "drain, after its deadline": AFTER_DEADLINE, "legacy": LEGACY}


@case(
    GROUP,
    rule="an exchange that began in drain does not go on when the stage has moved on or back",
    mend="look at the stage again before the ticket is asked for",
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice", "alice", "alice"),
)
def a_stage_that_ends_between_the_hops(bench: Bench) -> None:
    paths = [Journey(bench, bench.fresh_session("alice")) for _ in _STAGES_AFTER]
    urls = [path.at_auther(path.begin().location) for path in paths]
    asked = bench.issuer.plugin.from_now("exchange/ticket")
    for path, url, (stage, at) in zip(paths, urls, _STAGES_AFTER.items(), strict=True):
        bench.set_stage(at)
        answer = path.back(url)
        path.close()
        answer.must(answer.path == bench.profile.whoami, f"back to the page, in stage {stage}")
        answer.must(bench.token_cookie not in path.browser.cookies, "no Auther cookie")
        answer.must(not asked(), f"no ticket is asked for, in stage {stage}")
    # Where legacy sessions are as good as ever.
    bench.expect_user(bench.visit(paths[-1].browser), "alice")


@case(
    GROUP,
    rule="a return with another browser's state gets no ticket, and ends as a failed login does",
    mend="bind the attempt to a cookie, as for a login",
    at=DRAIN,
    needs=NEEDS,
    sessions=("alice", "bob"),
)
def state_of_another_browser(bench: Bench) -> None:
    with journey(bench, "bob") as attacker, journey(bench, "alice") as victim:
        url = attacker.at_auther(attacker.begin().location)
        asked = bench.issuer.plugin.from_now("exchange/ticket")
        answer = victim.back(url)
        answer.must(not asked(), "no ticket is asked for")
        answer.must(answer.status == 400, "a failed login: 400")
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
        with bench.issuer.overriding({"sub": bench.person("bob").auther_id}):
            path.end(answer)
        seen = bench.who(path.browser)
        seen.must(not bench.is_user(seen, "bob"), "bob is not signed in")


CASES = (
    a_return_path_that_leads_elsewhere,
    banned_at_auther,
    banned_at_the_last_moment,
    another_person_at_auther,
    plugin_down,
    a_stage_that_ends_between_the_hops,
    state_of_another_browser,
    ticket_in_another_browser,
    another_sub_at_the_callback,
)
