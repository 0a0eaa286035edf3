"""One browser on its way to an Auther session and back, over both origins."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from migrator.conformance.interface import CannotRunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer, Browser
    from migrator.conformance.issuer import Issuer

STARTS = "/api/auth/migrator/exchange/start"
REDEEMS = "/api/auth/migrator/exchange/redeem"


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
