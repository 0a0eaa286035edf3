"""Calls over HTTP that are repeated with patience: for whoever asks nothing twice that may not be."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from migrator.core.errors import DependencyError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
TIMEOUT = httpx.Timeout(60, connect=10)
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_WRONG_TOKEN = (
    "does not know our token",
    "compare [auther] token in migrator.toml with the server's",
)
_REFUSALS = {401: _WRONG_TOKEN, 403: _WRONG_TOKEN}
_RETRY_AFTER = ("X-Retry-After", "Retry-After")


class AgainError(Exception):
    """It failed for now; the message says how.

    Attributes:
        after_s: What the other side asked us to wait, 0 when it did not.
    """

    def __init__(self, message: str, *, after_s: float = 0) -> None:
        super().__init__(message)
        self.after_s = after_s


@dataclass(frozen=True)
class Patience:
    """How long something that fails is repeated.

    Attributes:
        total_s: After this time no new attempt begins.
        first_s: Before the second attempt we wait a random time up to this; then up to twice, …
        most_s: We never wait longer, whatever the other side asks for.
    """

    total_s: float = 120
    first_s: float = 0.1
    most_s: float = 30


def patiently(
    work: Callable[[], T],
    *,
    name: str,
    patience: Patience,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Repeat work as long as it raises `AgainError`, with full jitter between the attempts.

    Args:
        work: Safe to repeat.
        name: What messages call the other side.
        patience: How long.
        sleep: Waits so many seconds.

    Raises:
        DependencyError: It still failed when the time was over.
    """
    jitter = wait_random_exponential(multiplier=patience.first_s, max=patience.most_s)

    def wait(state: RetryCallState) -> float:
        asked = getattr(state.outcome and state.outcome.exception(), "after_s", 0.0)
        return min(asked + jitter(state), patience.most_s)

    began = time.monotonic()
    retrying = Retrying(
        retry=retry_if_exception_type(AgainError),
        wait=wait,
        stop=lambda _: time.monotonic() - began >= patience.total_s,
        sleep=sleep,
        reraise=True,
    )
    try:
        return retrying(work)
    except AgainError as error:
        raise DependencyError(
            f"{name}: {error}", hint="once it is well again, run the same command again"
        ) from error


def call(
    client: httpx.Client,
    request: httpx.Request,
    *,
    name: str,
    refusals: Mapping[int, tuple[str, str]] = _REFUSALS,
) -> Any:
    """Send a request once and read the whole answer as JSON.

    Args:
        client: Whom to send it with.
        request: A request with a body that can be sent again.
        name: What messages call the other side.
        refusals: By status: what it means and what to do.

    Raises:
        AgainError: No answer, half an answer, or one that says: later.
        RefusedError: One of `refusals`.
        DependencyError: Another status than 200.
    """
    try:
        answer = client.send(request)
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise AgainError(f"no answer ({type(error).__name__})") from error
    _check(answer, name, refusals)
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise AgainError("half an answer") from error


def _check(answer: httpx.Response, name: str, refusals: Mapping[int, tuple[str, str]]) -> None:
    status = answer.status_code
    if status in _AGAIN:
        raise AgainError(f"it answered {status}", after_s=_asked_s(answer))
    if status in refusals:
        what, hint = refusals[status]
        raise RefusedError(f"{name} {what} (it answered {status})", hint=hint)
    if status != httpx.codes.OK:
        raise DependencyError(
            f"{name} answered {status}",
            hint="look at the addresses under [auther], then: migrator preflight",
        )


def _asked_s(answer: httpx.Response) -> float:
    for header in _RETRY_AFTER:
        value = answer.headers.get(header, "")
        if value.isdecimal():
            return float(value)
    return 0
