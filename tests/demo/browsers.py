"""Traffic: people with browsers who sign in, come back, and sign in again where they are sent."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.demo.auther import Auther
    from tests.demo.people import Person

PAUSE_S = 0.02
NEW_DEVICE_SHARE = 0.1
AUTHER_COOKIE = "auther_id_token"


@dataclass
class Browser:
    """One person's browser."""

    person: Person
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    signed_in: bool = False


class Traffic:
    """Runs browsers in a thread until it is stopped. A context manager.

    Attributes:
        seen: Requests by what came of them.
        lost: Answers that a signed-in person, or anybody's login page, should not have got.
    """

    def __init__(
        self, addresses: Sequence[str], auther: Auther, people: Sequence[Person], *, seed: int
    ) -> None:
        self.seen: Counter[str] = Counter()
        self.lost: list[str] = []
        self._addresses, self._auther = addresses, auther
        self._browsers = [Browser(person) for person in people]
        self._random = random.Random(seed)
        self._ended = threading.Event()
        self._paused = threading.Event()
        self._idle = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def pause(self) -> None:
        """Let nobody click for a while (a deploy)."""
        self._paused.set()
        self._idle.clear()
        self._idle.wait()

    def resume(self) -> None:
        """Let them click again."""
        self._paused.clear()

    def legacy_sessions_expired(self) -> None:
        """Know that whoever has no Auther cookie was signed out by time."""
        for browser in self._browsers:
            browser.signed_in = browser.signed_in and bool(browser.cookies.get(AUTHER_COOKIE))

    def _run(self) -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while not self._ended.wait(PAUSE_S):
                self._idle.set()
                if not self._paused.is_set():
                    self._idle.clear()
                    self._click_safely(client, self._random.choice(self._browsers))

    def _click_safely(self, client: httpx.Client, browser: Browser) -> None:
        try:
            self._click(client, browser)
        except httpx.HTTPError as error:
            self.lost.append(f"{browser.person.email}: {type(error).__name__}")

    def _click(self, client: httpx.Client, browser: Browser) -> None:
        if self._random.random() < NEW_DEVICE_SHARE:
            browser.cookies, browser.signed_in = httpx.Cookies(), False
        answer = self._get(client, browser, "/")
        if answer.status_code == httpx.codes.OK:
            self.seen[f"as {'Auther' if answer.json()['by'] == 'cookie' else 'legacy'} user"] += 1
            return
        if browser.signed_in:
            self.lost.append(f"{browser.person.email}: {answer.status_code} {answer.text}")
        self._log_in(client, browser)

    def _log_in(self, client: httpx.Client, browser: Browser) -> None:
        page = self._get(client, browser, "/login")
        if not page.is_success:
            self.lost.append(f"{browser.person.email} at /login: {page.status_code} {page.text}")
            return
        side = page.json()["login"]
        person = browser.person
        if side == "auther":
            token = self._auther.log_in(person.email, person.password.plain)
            browser.signed_in = token is not None
            browser.cookies.set(AUTHER_COOKIE, token or "")
        else:
            form = {"email": person.email, "password": person.password.plain}
            answer = self._send(client, browser, "POST", "/login", json=form)
            browser.signed_in = answer.status_code == httpx.codes.OK
        self.seen[f"signed in at {side}" if browser.signed_in else f"refused by {side}"] += 1

    def _get(self, client: httpx.Client, browser: Browser, path: str) -> httpx.Response:
        return self._send(client, browser, "GET", path)

    def _send(
        self, client: httpx.Client, browser: Browser, method: str, path: str, **body: object
    ) -> httpx.Response:
        address = self._random.choice(self._addresses)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
        answer = client.request(
            method,
            address + path,
            headers={"Cookie": cookies, "Accept": "application/json"},
            **body,
        )
        browser.cookies.update(answer.cookies)
        client.cookies.clear()
        return answer
