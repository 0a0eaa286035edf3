"""The key set: fetched rarely, kept while good, never replaced by something worse.

These cases come last, since each uses up a refetch and waits for the next cooldown.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from migrator.conformance.bench import UNAVAILABLE, bearer
from migrator.conformance.case import Case, case
from migrator.conformance.interface import CannotRunError, Need
from migrator.conformance.signing_keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer
    from migrator.conformance.issuing import JwksMode

GROUP = "key-set"
NEEDS = (Need.TEST_ISSUER,)
FLOOD = 1000
AT_ONCE = 16
EVERY_NTH_IS_GOOD = 50
_SLOW_S = 6.0
_MARGIN_S = 0.1
_TRIES = 5
_MEND = (
    "one key set for the process: single flight, one forced refetch per cooldown whatever the kids, "
    "and a failed refetch never replaces a good set"
)
FAULTS: tuple[JwksMode, ...] = (
    "down",
    "error",
    "garbage",
    "empty",
    "huge",
    "redirect",
    "duplicate_kid",
)


def _unknown(bench: Bench, name: str = "alice") -> str:
    """Give a token whose kid nobody has published."""
    return bench.token(name, key=SigningKey(kid=f"unknown-{secrets.token_hex(8)}"))


def _after_cooldown(bench: Bench) -> None:
    """Wait until the application may fetch again."""
    ready_s = bench.issuer.last_fetch_at_s + bench.profile.jwks_cooldown.total_seconds()
    wait_s = ready_s + _MARGIN_S - time.monotonic()
    if wait_s > 0:
        time.sleep(wait_s)


@contextmanager
def _mode(bench: Bench, mode: JwksMode) -> Iterator[None]:
    """Let the key endpoint misbehave for a block."""
    issuer = bench.issuer
    slow_s, issuer.slow_s = issuer.slow_s, _SLOW_S
    issuer.jwks_mode = mode
    try:
        yield
    finally:
        issuer.jwks_mode, issuer.slow_s = "ok", slow_s


def _good(bench: Bench) -> Answer:
    return bench.who(bench.browser(), bench.bearer("alice"))


def _require_known(bench: Bench) -> None:
    """Make sure that the application has the issuer's key set."""
    answer = _good(bench)
    if not bench.is_user(answer, "alice"):
        raise CannotRunError(f"a good token is not accepted to begin with: {answer}")


def _outage(bench: Bench, mode: JwksMode) -> None:
    _require_known(bench)
    _after_cooldown(bench)
    before = bench.issuer.jwks_fetches
    with _mode(bench, mode):
        answer = bench.who(bench.browser(session="bob"), bearer(_unknown(bench)))
        bench.expect_refused(answer, UNAVAILABLE, "verification_unavailable")
        fetches = bench.issuer.jwks_fetches - before
        answer.must(fetches >= 1, "the key set was asked for again")
        bench.expect_user(_good(bench), "alice")
    answer.must(bench.issuer.jwks_fetches - before <= bench.profile.workers, "one fetch, not more")


@case(
    GROUP,
    rule="verification impossible: 503 with Retry-After, counted, and the cookie is kept",
    mend="never 401: nobody can say now whether the credential is good",
    needs=NEEDS,
    last=True,
)
def an_outage_keeps_the_cookie(bench: Bench) -> None:
    _after_cooldown(bench)
    with _mode(bench, "down"):
        browser = bench.browser(cookie=_unknown(bench))
        before = bench.metrics()
        answer = bench.who(browser)
        counted = bench.metrics().requests_since(before)
        bench.expect_refused(answer, UNAVAILABLE, "verification_unavailable")
        answer.must(bench.token_cookie in browser.cookies, "the Auther cookie is kept")
        bench.expect_counted(answer, counted, "auther unavailable verification_unavailable")
        page = bench.visit(browser)
        bench.expect_refused(page, UNAVAILABLE, "verification_unavailable")
        page.must(bench.token_cookie in browser.cookies, "the Auther cookie is kept")


@case(
    GROUP,
    rule="in an outage legacy sessions go on",
    mend="a request without an Auther credential asks for no key",
    needs=NEEDS,
    sessions=("bob",),
    last=True,
)
def an_outage_harms_no_session(bench: Bench) -> None:
    with _mode(bench, "down"):
        bench.expect_user(bench.who(bench.browser(session="bob")), "bob")


@case(
    GROUP,
    rule="while a key set comes slowly, tokens with known keys pass at once",
    mend="a refetch must not hold up requests that need no new key; give it a timeout",
    needs=NEEDS,
    last=True,
)
def slow(bench: Bench) -> None:
    _require_known(bench)
    _after_cooldown(bench)
    with _mode(bench, "slow"), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bench.who, bench.browser(), bearer(_unknown(bench)))
        time.sleep(_MARGIN_S * 3)
        began = time.monotonic()
        answer = _good(bench)
        took_s = time.monotonic() - began
        bench.expect_user(answer, "alice")
        answer.must(took_s < _SLOW_S / 3, "an answer at once, while the key set is on its way")
        bench.expect_refused(waiting.result(), UNAVAILABLE, "verification_unavailable")


@case(
    GROUP,
    rule="an unknown kid in a set that was just fetched is refused: 401",
    mend=_MEND,
    needs=NEEDS,
    last=True,
)
def unknown_kid(bench: Bench) -> None:
    _require_known(bench)
    _after_cooldown(bench)
    before, counters = bench.issuer.jwks_fetches, bench.metrics()
    answer = bench.who(bench.browser(), bearer(_unknown(bench)))
    counted = bench.metrics().requests_since(counters)
    bench.expect_refused(answer, 401, "invalid_token")
    bench.expect_counted(answer, counted, "auther refused unknown_key")
    answer.must(bench.issuer.jwks_fetches - before == 1, "one fetch")


@case(
    GROUP,
    rule="an unknown kid inside the refetch cooldown is 503: it may be a new key",
    mend="nobody can tell before the next fetch; say when, in Retry-After",
    needs=NEEDS,
    last=True,
)
def unknown_kid_inside_the_cooldown(bench: Bench) -> None:
    _require_known(bench)
    answer, fetches, took_s = _second_unknown(bench)
    for _ in range(_TRIES):
        # Later than a short cooldown, which happens on a busy machine, it says nothing.
        if took_s < bench.profile.jwks_cooldown.total_seconds():
            break
        answer, fetches, took_s = _second_unknown(bench)
    bench.expect_refused(answer, UNAVAILABLE, "verification_unavailable")
    answer.must(fetches == 0, "no fetch inside the cooldown")


def _second_unknown(bench: Bench) -> tuple[Answer, int, float]:
    """Give the answer to the second of two unknown kids, the fetches that it caused, and the seconds of both."""
    _after_cooldown(bench)
    began_s = time.monotonic()
    bench.who(bench.browser(), bearer(_unknown(bench)))
    before = bench.issuer.jwks_fetches
    answer = bench.who(bench.browser(), bearer(_unknown(bench)))
    return answer, bench.issuer.jwks_fetches - before, time.monotonic() - began_s


@case(
    GROUP,
    rule="a new key is found after a rotation, and the old one stays good while it is published",
    mend="an unknown kid asks for the set again, once per cooldown",
    needs=NEEDS,
    last=True,
)
def rotated(bench: Bench) -> None:
    _require_known(bench)
    old = bench.token("alice")
    _after_cooldown(bench)
    bench.issuer.rotate()
    bench.expect_user(_good(bench), "alice")
    bench.expect_user(bench.who(bench.browser(), bearer(old)), "alice")


@case(
    GROUP,
    rule="a key that is no longer published is no longer good once the set was fetched",
    mend="replace the whole set with each good fetch, and drop cached verifications with it",
    needs=NEEDS,
    last=True,
)
def withdrawn(bench: Bench) -> None:
    _require_known(bench)
    old = bench.token("alice")
    _after_cooldown(bench)
    bench.issuer.rotate(keep_old=False)
    bench.expect_user(_good(bench), "alice")
    answer = bench.who(bench.browser(), bearer(old))
    answer.must(answer.status in {401, UNAVAILABLE}, "401, or 503 inside the cooldown")


@case(
    GROUP,
    rule="1,000 random kids cause at most one fetch per cooldown, while good tokens pass",
    mend=_MEND,
    needs=NEEDS,
    last=True,
)
def a_flood_of_random_kids(bench: Bench) -> None:
    _require_known(bench)
    _after_cooldown(bench)
    good = bearer(bench.token("alice"))
    random = [bearer(_unknown(bench)) for _ in range(FLOOD)]

    def ask(number: int) -> tuple[bool, Answer]:
        is_good = number % EVERY_NTH_IS_GOOD == 0
        return is_good, bench.who(bench.browser(), good if is_good else random[number])

    before, began = bench.issuer.jwks_fetches, time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(ask, range(FLOOD)))
    took_s = time.monotonic() - began
    fetches = bench.issuer.jwks_fetches - before
    windows = 1 + int(took_s / bench.profile.jwks_cooldown.total_seconds())
    sample = answers[-1][1]
    for is_good, answer in answers:
        if is_good:
            bench.expect_user(answer, "alice")
    odd = Counter(answer.status for is_good, answer in answers if not is_good)
    sample.must(odd.keys() <= {401, UNAVAILABLE}, f"401 or 503 for each random kid, not {odd}")
    most = windows * bench.profile.workers
    sample.must(fetches <= most, f"at most {most} fetches in {took_s:.1f} s, not {fetches}")


@case(
    GROUP,
    rule="good tokens cause no fetch at all",
    mend="keep the set; a fetch for each request floods Auther and slows every request",
    needs=NEEDS,
)
def good_tokens_fetch_nothing(bench: Bench) -> None:
    _require_known(bench)
    before = bench.issuer.jwks_fetches
    answers = [_good(bench) for _ in range(10)]
    for answer in answers:
        bench.expect_user(answer, "alice")
    fetches = bench.issuer.jwks_fetches - before
    answers[-1].must(fetches <= 1, f"no fetch for ten good tokens, not {fetches}")


CASES = (
    good_tokens_fetch_nothing,
    an_outage_harms_no_session,
    unknown_kid,
    unknown_kid_inside_the_cooldown,
    a_flood_of_random_kids,
    rotated,
    withdrawn,
    an_outage_keeps_the_cookie,
    *(
        Case(
            GROUP,
            f"{mode.replace('_', '-')}",
            f"a key set that is {mode.replace('_', ' ')} never replaces a good one: 503 for new kids, "
            "and known keys stay good",
            _MEND,
            partial(_outage, mode=mode),
            needs=frozenset((*NEEDS, Need.FORM)),
            sessions=("bob",),
            last=True,
        )
        for mode in FAULTS
    ),
    slow,
)
