"""People who are signed in and never stop clicking, and every answer that was not theirs."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import httpx

from tests.shims.rails.club import NAVIGATION, TOKEN_COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

THREADS = 3
ROUND_WITHIN_S = 30
SESSION_COOKIE = "_club_session"
SCRIPT = {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}
FORM = {"Accept": "application/json", "Sec-Fetch-Mode": "navigate"}
# Requests on the way of a login, which the shim does not count among the requests.
OWN_PATHS = (
    "/auth/auther/start",
    "/auth/auther/exchange",
    "/auth/auther/callback",
)
CSRF = re.compile(r'name="csrf-token" content="([^"]+)"')


class Way(StrEnum):
    """What keeps somebody signed in, and how they click."""

    PAGES = "a legacy session"
    SCRIPTS = "a legacy session in a page that is never opened anew"
    REMEMBERED = "remember-me alone"
    AUTHER = "Auther's cookie"
    API = "a bearer"


@dataclass
class Person:
    """Somebody who is signed in.

    Attributes:
        begun: How many clicks they have begun.
        clicks: How many of them have ended.
    """

    user_id: int
    way: Way
    browser: httpx.Client
    begun: int = 0
    clicks: int = 0

    def next_click(self) -> str:
        """Say what they do now: open a page, fetch something, or send a form; not all the same."""
        kinds = {
            Way.SCRIPTS: ("script",),
            Way.REMEMBERED: ("page", "script"),
            Way.API: ("script", "form"),
        }
        among = kinds.get(self.way, ("page", "script", "page", "form"))
        return among[(self.user_id + self.clicks) % len(among)]


@dataclass
class Tally:
    """What the people's own browsers saw of the application.

    Attributes:
        app: Its address.
        by_path: Requests by the credential that they brought, as the shim names it.
    """

    app: httpx.URL
    by_path: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, answer: httpx.Response) -> None:
        """Count one answer."""
        url = answer.request.url
        if url.port == self.app.port and url.path not in OWN_PATHS:
            with self._lock:
                self.by_path[_path_of(answer.request)] += 1


def _path_of(request: httpx.Request) -> str:
    cookies = request.headers.get("Cookie", "")
    if "Authorization" in request.headers or f"{TOKEN_COOKIE}=" in cookies:
        return "auther"
    is_form = (request.method, request.url.path) == ("GET", "/users/sign_in")
    return "none" if is_form else "legacy"


class Traffic:
    """Clicks for everybody, in threads, until it is stopped. A context manager.

    Attributes:
        at: Where the stage is, for those who want to know when something went wrong.
        failures: Who got what answer to what, when.
    """

    def __init__(self) -> None:
        self.at = ""
        self.failures: list[str] = []
        self._people: list[Person] = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(THREADS)
        ]
        self._numbers = itertools.count(1)

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let everybody finish their click and go."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for person in self._people:
            person.browser.close()

    def join(self, people: Iterable[Person]) -> None:
        """Let more people click."""
        self._people.extend(people)

    def change(self, before: Way, after: Way) -> None:
        """Let whoever clicks in one way click in another from now on."""
        for person in self._people:
            if person.way is before:
                person.way = after

    def round(self) -> None:
        """Wait until everybody has begun and ended a click."""
        # One that has begun before does not count.
        wanted = [(person, person.begun + 1) for person in self._people]
        ends = time.monotonic() + ROUND_WITHIN_S
        while any(person.clicks < count for person, count in wanted):
            assert time.monotonic() < ends, "nobody clicks any more"
            assert not self.failures, self.report()
            time.sleep(0.02)

    def report(self) -> str:
        """Give the failures, one a line."""
        return "\n".join(self.failures)

    def _run(self, number: int) -> None:
        while not self._ended.is_set():
            mine = self._people[number::THREADS]
            for person in mine:
                self._click(person)
            if not mine:
                time.sleep(0.01)

    def _click(self, person: Person) -> None:
        person.begun += 1
        kind = person.next_click()
        click = {"page": self._page, "script": self._script, "form": self._form}[kind]
        if person.way is Way.REMEMBERED:
            _close_and_open(person.browser)
        at, began = self.at, time.strftime("%H:%M:%S")
        try:
            wrong = list(click(person))
        except httpx.HTTPError as error:
            wrong = [f"{type(error).__name__}: {error}"]
        self.failures += [
            f"{began} {at} (now {self.at}): user {person.user_id} with {person.way}, {kind}: {what}"
            for what in wrong
        ]
        person.clicks += 1

    def _page(self, person: Person) -> Iterator[str]:
        yield from _wrong_page(person, *self._open(person))

    def _open(self, person: Person) -> tuple[str, httpx.Response]:
        path = f"/members?page={next(self._numbers)}"
        return path, person.browser.get(path, headers=NAVIGATION, follow_redirects=True)

    def _script(self, person: Person) -> Iterator[str]:
        answer = person.browser.get("/whoami", headers=SCRIPT)
        yield from _wrong_json(person, "user", answer)

    def _form(self, person: Person) -> Iterator[str]:
        form = {"text": "hello"}
        if person.way is not Way.API:
            path, page = self._open(person)
            if wrong := list(_wrong_page(person, path, page)):
                yield from wrong
                return
            form["authenticity_token"] = CSRF.findall(page.text)[0]
        headers = SCRIPT if person.way is Way.API else FORM
        answer = person.browser.post("/notes", data=form, headers=headers)
        yield from _wrong_json(person, "by", answer)


def _close_and_open(browser: httpx.Client) -> None:
    """Lose what lasts as long as the browser is open."""
    for cookie in [cookie for cookie in browser.cookies.jar if cookie.name == SESSION_COOKIE]:
        browser.cookies.delete(cookie.name, cookie.domain, cookie.path)


def _wrong_page(person: Person, path: str, answer: httpx.Response) -> Iterator[str]:
    there = answer.status_code == httpx.codes.OK and str(answer.url).endswith(path)
    if not (there and f"Hello, member {person.user_id}." in answer.text):
        yield _shown(answer)


def _wrong_json(person: Person, name: str, answer: httpx.Response) -> Iterator[str]:
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    if not (answer.is_success and is_json and answer.json()[name] == person.user_id):
        yield _shown(answer)


def _shown(answer: httpx.Response) -> str:
    way = [
        f"{hop.request.method} {hop.request.url.path} {hop.status_code}" for hop in answer.history
    ]
    last = f"{answer.request.method} {answer.request.url} {answer.status_code}"
    return f"{' -> '.join([*way, last])}: {answer.text[:200]!r}"
