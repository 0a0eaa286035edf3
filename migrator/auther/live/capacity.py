"""Measures how many sign-ins a second an Auther takes, with accounts whose passwords we were given."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.live.doctor.asking import FETCH, Asker
from migrator.auther.live.doctor.interface import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.auther.live.doctor.asking import Answer
    from migrator.auther.live.doctor.interface import Account

RAMP = (1, 2, 4, 8, 16)
# Nobody's Auther is loaded with more than this, however fast it is.
MOST_SIGN_INS = 3000
_OK, _TOO_MANY = 200, 429
# Beyond this another doubling of the load brings nothing but longer waits.
_SLOWEST_S = 5.0


class Step(NamedTuple):
    """One level of load.

    Attributes:
        concurrency: Sign-ins under way at the same time.
        sign_ins: Those that succeeded.
        seconds: Wall clock.
        median_s: Of a successful sign-in; 0 without any.
        p95_s: Likewise.
        stopped: Why the ramp ended here, empty when it went on.
    """

    concurrency: int
    sign_ins: int
    seconds: float
    median_s: float
    p95_s: float
    stopped: str = ""

    @property
    def per_second(self) -> float:
        """Sign-ins a second."""
        return self.sign_ins / self.seconds if self.seconds > 0 else 0.0


class Tried(NamedTuple):
    """What came of one attempt.

    Attributes:
        fault: Why it did not succeed, empty when it did.
        cookies: Of the session that it left.
    """

    seconds: float
    fault: str = ""
    cookies: dict[str, str] = {}  # noqa: RUF012 (nobody writes into it)


Attempt = Callable[[Asker, "Account"], Tried]


@dataclass(frozen=True)
class Load:
    """How to load an Auther.

    Attributes:
        accounts: Taken in turn.
        attempt: What is done with each.
        seconds: For the whole ramp, shared evenly among its steps.
        most: Sign-ins altogether.
    """

    base_url: str
    accounts: Sequence[Account]
    seconds: float
    attempt: Attempt
    ramp: tuple[int, ...] = RAMP
    most: int = MOST_SIGN_INS


class Worker:
    """Signs one account in after the other, on an own connection."""

    def __init__(self, load: Load, turns: count[int], stop: threading.Event) -> None:
        self._load = load
        self._turns = turns
        self._stop = stop
        self.times_s: list[float] = []
        self.fault = ""
        self.cookies: dict[str, str] = {}

    def work(self, until: float) -> None:
        """Sign in until a time of the monotonic clock, or until something goes wrong."""
        with closing(Asker(self._load.base_url)) as asker:
            while time.monotonic() < until and not self._stop.is_set():
                turn = next(self._turns)
                if turn >= self._load.most:
                    self._end(f"{self._load.most:,} sign-ins are the most that are made")
                    return
                self._one(asker, self._load.accounts[turn % len(self._load.accounts)])

    def _one(self, asker: Asker, account: Account) -> None:
        try:
            tried = self._load.attempt(asker, account)
        except NoAnswerError as error:
            self._end(str(error))
            return
        if tried.fault:
            self._end(tried.fault)
            return
        self.times_s.append(tried.seconds)
        self.cookies = tried.cookies

    def _end(self, fault: str) -> None:
        self.fault = fault
        self._stop.set()


def measure(load: Load, *, advance: Callable[[Step], None]) -> list[Step]:
    """Double the load step by step, until it brings no more, something fails, or time is up.

    Each sign-in leaves a session; those of one account are ended afterwards where Auther lets us.

    Args:
        load: How to load it.
        advance: Called after each step.
    """
    turns, steps = count(), list[Step]()
    for concurrency in load.ramp:
        step, cookies = _step(load, concurrency, turns)
        steps.append(step)
        advance(step)
        _end_sessions(load, cookies)
        if step.stopped:
            break
    return steps


def best(steps: Sequence[Step]) -> Step | None:
    """Give the step with the most sign-ins a second, None where none succeeded."""
    worked = [step for step in steps if step.sign_ins]
    return max(worked, key=lambda step: step.per_second, default=None)


def was_limited(steps: Sequence[Step]) -> bool:
    """Tell whether a limit ended the ramp, so that it says nothing about the capacity."""
    return any(str(_TOO_MANY) in step.stopped for step in steps)


def signing_in(api: str) -> Attempt:
    """Sign in, as people do."""

    def attempt(asker: Asker, account: Account) -> Tried:
        body = {"email": account.email, "password": account.password}
        answer = asker.ask("POST", f"{api}/sign-in/email", headers=FETCH, json=body)
        fault = "" if answer.status == _OK else _refusal(answer)
        return Tried(answer.seconds, fault, answer.cookies)

    return attempt


def verifying(api: str, *, secret: str, ids: Mapping[str, str]) -> Attempt:
    """Let the plugin verify passwords: what a sign-in costs, without its limits and its session.

    Args:
        api: The base of better-auth's HTTP API.
        secret: Of the plugin's capability `verify`.
        ids: The users' ids at Auther by their addresses.
    """
    headers = FETCH | {"Authorization": f"Bearer {secret}"}

    def attempt(asker: Asker, account: Account) -> Tried:
        body = {"id": ids[account.email], "password": account.password}
        answer = asker.ask("POST", f"{api}/migrator/verify", headers=headers, json=body)
        if answer.status == _OK and answer.json.get("valid") is True:
            return Tried(answer.seconds)
        why = answer.json.get("reason") or answer.code
        return Tried(answer.seconds, f"a verification answered {answer.status} {why}".strip())

    return attempt


def _step(load: Load, concurrency: int, turns: count[int]) -> tuple[Step, list[dict[str, str]]]:
    stop = threading.Event()
    workers = [Worker(load, turns, stop) for _ in range(concurrency)]
    began = time.monotonic()
    until = began + load.seconds / len(load.ramp)
    with ThreadPoolExecutor(concurrency) as pool:
        for future in [pool.submit(worker.work, until) for worker in workers]:
            future.result()
    seconds = time.monotonic() - began
    times = sorted(one for worker in workers for one in worker.times_s)
    fault = next((worker.fault for worker in workers if worker.fault), "")
    p95 = _quantile(times, 0.95)
    stopped = fault or (f"a sign-in takes {p95:.1f} s" if p95 > _SLOWEST_S else "")
    median = statistics.median(times) if times else 0.0
    step = Step(concurrency, len(times), seconds, median, p95, stopped)
    return step, [worker.cookies for worker in workers if worker.cookies]


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else 0.0


def _refusal(answer: Answer) -> str:
    if answer.status == _TOO_MANY:
        wait = answer.headers.get("x-retry-after", "")
        return f"429: Auther limits sign-ins from one address (X-Retry-After: {wait or 'none'})"
    return f"a sign-in answered {answer.status} {answer.code}".strip()


def _end_sessions(load: Load, found: Sequence[dict[str, str]]) -> None:
    url = f"{load.base_url.rstrip('/')}/api/auth/revoke-sessions"
    with closing(Asker(load.base_url)) as asker:
        for cookies in found:
            try:
                asker.ask("POST", url, headers=FETCH, cookies=cookies, json={})
            except NoAnswerError:
                return
