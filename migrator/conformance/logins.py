"""A browser's login at Auther, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from migrator.conformance.bench import START

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer, Browser


def start(browser: Browser, return_to: str | None = None) -> Answer:
    """Follow the button; the answer leads to Auther.

    Raises:
        MismatchError: It does not.
    """
    query = f"?{urlencode({'return_to': return_to})}" if return_to is not None else ""
    answer = browser.visit(f"{START}{query}")
    leads_there = answer.status in {302, 303} and "code_challenge" in answer.query
    answer.must(leads_there, "a redirect to Auther's authorization endpoint, with PKCE")
    return answer


def come_back(bench: Bench, begun: Answer, name: str) -> str:
    """Sign a canary in at Auther; give the callback's path and query."""
    url = urlsplit(bench.auther.enter(begun.location, bench.person(name)))
    return f"{url.path}?{url.query}"


def log_in(bench: Bench, browser: Browser, name: str, return_to: str | None = None) -> Answer:
    """Sign a canary in through Auther, from the button to the callback's answer."""
    return browser.visit(come_back(bench, start(browser, return_to), name))


def expect_failed(
    bench: Bench, answer: Answer, browser: Browser, *, statuses: tuple[int, ...]
) -> None:
    """Expect that a login did not come to its end, and that nobody is signed in.

    Raises:
        MismatchError: It did, or the status is another one.
    """
    answer.must(answer.status in statuses, f"a failed login: {' or '.join(map(str, statuses))}")
    answer.must(bench.token_cookie not in browser.cookies, "no Auther cookie")
    bench.expect_user(bench.who(browser), None)
