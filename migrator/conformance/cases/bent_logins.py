"""Logins that somebody bends on their way: state, code, id_token, return path."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from migrator.conformance.case import Case, case
from migrator.conformance.interface import Need
from migrator.conformance.logins import come_back, expect_failed, log_in, start
from migrator.conformance.signing_keys import SigningKey

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench

GROUP = "login"
ODD = (Need.TEST_ISSUER,)
_MEND_STATE = (
    "keep state, nonce and verifier in a signed cookie per attempt, compare the whole state, and "
    "remove the cookie whatever comes of it"
)
_MEND_TOKEN = "verify the id_token like any other, then its nonce and its own client's audience"  # noqa: S105


_MEND_RETURN = (
    "take only a path on this origin: it begins with one slash, and has no backslash and no "
    "control character"
)


ELSEWHERE = {
    "absolute": "https://evil.example/",
    "protocol-relative": "//evil.example/",
    "backslash": "/\\evil.example",
    "two-backslashes": "\\\\evil.example",
    "tab": "/\t/evil.example",
    "newline": "/\n/evil.example",
    "javascript": "javascript:alert(1)",
    "relative": "evil",
    "header-injection": "/x\r\nSet-Cookie: a=b",
    "at-sign": "@evil.example",
}


# (name, claims of the id_token, statuses)
TAMPERED: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "nonce-of-another-attempt": ({"nonce": "another"}, (400,)),
    "nonce-missing": ({"nonce": None}, (400,)),
    "audience": ({"aud": "another-client"}, (400, 403)),
    "issuer": ({"iss": "https://elsewhere.example"}, (400, 403)),
    "expired": ({"exp": 1}, (400, 403)),
    "larger-than-8-kib": ({"picture": "x" * 20_000}, (400, 403, 502)),
}


@case(GROUP, rule="a state of another browser's attempt is refused", mend=_MEND_STATE)
def state_of_another_browser(bench: Bench) -> None:
    url = come_back(bench, start(bench.browser()), "alice")
    victim = bench.browser()
    expect_failed(bench, victim.visit(url), victim, statuses=(400,))


@case(GROUP, rule="a changed, cut, empty or missing state is refused", mend=_MEND_STATE)
def state_changed(bench: Bench) -> None:
    for change in (_other, lambda text: text[:-1], lambda _: "", None):
        browser = bench.browser()
        path, _, query = come_back(bench, start(browser), "alice").partition("?")
        pairs = dict(parse_qsl(query))
        state = pairs.pop("state")
        if change is not None:
            pairs["state"] = change(state)
        answer = browser.visit(f"{path}?{urlencode(pairs)}")
        expect_failed(bench, answer, browser, statuses=(400,))


def _other(text: str) -> str:
    return text[:20] + ("A" if text[20] != "A" else "B") + text[21:]


@case(GROUP, rule="a callback is good once", mend=_MEND_STATE)
def callback_twice(bench: Bench) -> None:
    browser = bench.browser()
    url = come_back(bench, start(browser), "alice")
    answer = browser.visit(url)
    answer.must(answer.status in {302, 303}, "a redirect")
    browser.cookies.pop(bench.token_cookie, None)
    expect_failed(bench, browser.visit(url), browser, statuses=(400,))


@case(GROUP, rule="two tabs do not disturb each other", mend="one cookie for each attempt")
def two_tabs(bench: Bench) -> None:
    browser, whoami = bench.browser(), bench.profile.whoami
    first, second = (start(browser, f"{whoami}?{tab}") for tab in ("first", "second"))
    for begun, tab in ((second, "second"), (first, "first")):
        answer = browser.visit(come_back(bench, begun, "alice"))
        answer.must(answer.location.endswith(f"?{tab}"), f"the return path of the {tab} tab")


@case(
    GROUP,
    rule="a code of somebody else's attempt does not fit this attempt's verifier",
    mend="send code_verifier with the code; Auther compares",
)
def code_of_another_attempt(bench: Bench) -> None:
    browser = bench.browser()
    path, _, mine = come_back(bench, start(browser), "alice").partition("?")
    theirs = come_back(bench, start(bench.browser()), "bob").partition("?")[2]
    mixed = {**dict(parse_qsl(mine)), "code": dict(parse_qsl(theirs))["code"]}
    answer = browser.visit(f"{path}?{urlencode(mixed)}")
    expect_failed(bench, answer, browser, statuses=(400,))


@case(GROUP, rule="an error that Auther sends back ends the attempt", mend=_MEND_STATE)
def an_error_from_auther(bench: Bench) -> None:
    browser = bench.browser()
    query = urlencode({"state": start(browser).query["state"], "error": "access_denied"})
    answer = browser.visit(f"{bench.site.callback_path}?{query}")
    expect_failed(bench, answer, browser, statuses=(400,))


@case(
    GROUP,
    rule="a failed login is counted by its reason",
    mend="count auth_logins_failed_total{reason} where the page is shown",
)
def a_failure_is_counted(bench: Bench) -> None:
    before = bench.metrics()
    answer = bench.browser().visit(f"{bench.site.callback_path}?code=x&state=y")
    grown = bench.metrics().grown_since(before, "auth_logins_failed_total", reason="state")
    answer.must(grown == 1, 'auth_logins_failed_total{reason="state"} grows by one')


@case(
    GROUP,
    rule="an id_token of somebody whom nothing links is 409, and links nobody by e-mail",
    mend="look up migrator_identity by sub only; an e-mail is no identity",
    needs=ODD,
)
def of_a_stranger(bench: Bench) -> None:
    alice = bench.person("alice")
    browser = bench.browser()
    with bench.issuer.overriding({"sub": "nobody-known", "email": alice.email}):
        answer = log_in(bench, browser, "alice")
    expect_failed(bench, answer, browser, statuses=(409,))


def _refused_at_the_callback(bench: Bench, name: str) -> None:
    browser = bench.browser()
    expect_failed(bench, log_in(bench, browser, name), browser, statuses=(403,))


def _tampered(bench: Bench, claims: dict[str, Any], statuses: tuple[int, ...]) -> None:
    browser = bench.browser()
    with bench.issuer.overriding(claims):
        answer = log_in(bench, browser, "alice")
    expect_failed(bench, answer, browser, statuses=statuses)
    answer.must(bench.scene.home(bench.person("alice")) == "legacy", "alice's home has not moved")


@case(GROUP, rule="an id_token signed by another key is refused", mend=_MEND_TOKEN, needs=ODD)
def id_token_forged(bench: Bench) -> None:
    issuer = bench.issuer
    good = list(issuer.keys)
    browser = bench.browser()
    url = come_back(bench, start(browser), "alice")
    issuer.keys = [*good[:-1], SigningKey(kid=good[-1].kid)]
    try:
        answer = browser.visit(url)
    finally:
        issuer.keys = good
    expect_failed(bench, answer, browser, statuses=(400, 403))


def _comes_home(bench: Bench, return_to: str) -> None:
    browser = bench.browser()
    answer = log_in(bench, browser, "alice", return_to)
    where = urlsplit(answer.location)
    here = urlsplit(bench.wire.base_url).netloc
    safe = where.netloc in {"", here} and where.path == bench.site.after_login
    answer.must(safe and "\\" not in answer.location, f"a redirect to {bench.site.after_login}")
    answer.must("a" not in browser.cookies, "no injected header")


CASES = (
    state_of_another_browser,
    state_changed,
    callback_twice,
    two_tabs,
    code_of_another_attempt,
    an_error_from_auther,
    a_failure_is_counted,
    of_a_stranger,
    id_token_forged,
    *(
        Case(
            GROUP,
            f"id-token-{name}",
            f"an id_token whose {name.replace('-', ' ')} does not fit signs nobody in and moves nobody",
            _MEND_TOKEN,
            partial(_tampered, claims=claims, statuses=statuses),
            needs=frozenset(ODD),
        )
        for name, (claims, statuses) in TAMPERED.items()
    ),
    *(
        Case(
            GROUP,
            f"{name}-at-the-callback",
            f"a canary that is {name} does not get in at the callback",
            "check the account before the cookie is set, as for any token",
            partial(_refused_at_the_callback, name=name),
            people=(name,),
        )
        for name in ("locked", "unconfirmed", "deleted", "pinned")
    ),
    *(
        Case(
            GROUP,
            f"return-to-{name}",
            f"a return path that leads elsewhere ({name}) ends at the application's own page",
            _MEND_RETURN,
            partial(_comes_home, return_to=where),
        )
        for name, where in ELSEWHERE.items()
    ),
)
