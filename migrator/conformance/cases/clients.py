"""What kind of client asks, as the counters tell it: a browser, an app, a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.conformance.bench import bearer
from migrator.conformance.browser import XHR
from migrator.conformance.case import case
from migrator.conformance.interface import Need
from migrator.metrics.clients import LABEL
from migrator.metrics.exported import REQUESTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Browser

GROUP = "clients"
_MEND = "follow the three rules of migrator/metrics/clients.py, in their order"
_FETCH = {**XHR, "Sec-Fetch-Mode": "cors"}
_AGENT = {**XHR, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101"}
_PAGE = {"Accept": "text/html,application/xhtml+xml"}


def _counted(
    bench: Bench, browser: Browser, headers: Mapping[str, str], *, path: str, client: str
) -> None:
    before = bench.metrics()
    answer = browser.send("GET", bench.profile.whoami, headers)
    wanted = {"path": path, LABEL: client, "synthetic": "0"}
    grown = bench.metrics().grown_since(before, REQUESTS, **wanted)
    answer.must(grown == 1, f'one request counted on path {path} with {LABEL}="{client}"')


@case(
    GROUP,
    rule="the signs of a browser make it one, whatever credential it brings",
    mend=_MEND,
    sessions=("bob",),
)
def a_browser(bench: Bench) -> None:
    session, token = bench.browser(session="bob"), dict([bench.bearer("alice")])
    _counted(bench, session, _FETCH, path="legacy", client="browser")
    _counted(bench, bench.browser(), _AGENT | token, path="auther", client="browser")
    _counted(bench, bench.browser(), _PAGE, path="none", client="browser")


@case(
    GROUP,
    rule="a person's credential without any sign of a browser is an app's",
    mend=_MEND,
    sessions=("bob",),
)
def an_app(bench: Bench) -> None:
    token = dict([bench.bearer("alice")])
    _counted(bench, bench.browser(session="bob"), XHR, path="legacy", client="app")
    _counted(bench, bench.browser(cookie=bench.token("alice")), XHR, path="auther", client="app")
    _counted(bench, bench.browser(), XHR | token, path="auther", client="app")


@case(
    GROUP,
    rule="an API key's token, another's bearer, and nothing at all are a program's",
    mend=_MEND,
    needs=(Need.TEST_ISSUER, Need.FOREIGN_REFUSED),
)
def a_program(bench: Bench) -> None:
    exchanged = dict([bench.bearer("alice", apiKeyId="key-1", scope="api_key_exchange")])
    _counted(bench, bench.browser(), XHR | exchanged, path="auther", client="api")
    opaque = dict([bearer("0123456789abcdef")])
    _counted(bench, bench.browser(), XHR | opaque, path="foreign", client="api")
    _counted(bench, bench.browser(), XHR, path="none", client="api")


CASES = (a_browser, an_app, a_program)
