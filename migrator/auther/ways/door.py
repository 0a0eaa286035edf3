"""The plugin's endpoints, one capability at a time."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx

from migrator.auther.ways.calling import TIMEOUT, AgainError, Patience, call, patiently
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")
PLUGIN = "migrator import plugin --out DIR --env-file FILE"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Door:
    """The plugin's endpoints, called with patience."""

    def __init__(
        self,
        client: httpx.Client,
        name: str,
        *,
        refusals: Mapping[int, tuple[str, str]],
        patience: Patience,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._client = client
        self._refusals = refusals
        self._patience = patience
        self._sleep = sleep

    def post(self, path: str, body: bytes, read: Callable[[Any], T]) -> T:
        """Send JSON and take what is answered.

        Args:
            path: Below the address of the door.
            body: Safe to be sent again.
            read: Takes the answer apart; what it cannot take is half an answer.

        Raises:
            RefusedError: One of the refusals that the door was opened with.
            DependencyError: Auther does not answer.
        """
        return self._ask("POST", path, read, content=body)

    def get(self, path: str, read: Callable[[Any], T], **params: str | int) -> T:
        """Ask with parameters; otherwise like `post`."""
        return self._ask("GET", path, read, params=params)

    def _ask(self, method: str, path: str, read: Callable[[Any], T], **sent: Any) -> T:
        def once() -> T:
            request = self._client.build_request(method, path, **sent)
            answer = call(self._client, request, name=self.name, refusals=self._refusals)
            try:
                return read(answer)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise AgainError("an answer that is not complete") from error

        return patiently(once, name=self.name, patience=self._patience, sleep=self._sleep)


@contextmanager
def open_door(
    base: str,
    *,
    secret: str,
    refusals: Mapping[int, tuple[str, str]],
    patience: Patience,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Door]:
    """Open a way to endpoints; asks nothing yet.

    Args:
        base: Their address, with a slash at the end.
        secret: That of the capability.
        refusals: By status: what it means and what to do.
        patience: How long an Auther that is away is waited for.
        sleep: Waits so many seconds.
    """
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    name = f"Auther at {httpx.URL(base).host}"
    with httpx.Client(base_url=base, headers=headers, timeout=TIMEOUT) as client:
        yield Door(client, name, refusals=refusals, patience=patience, sleep=sleep)


def refusals(capability: str, purpose: str) -> dict[int, tuple[str, str]]:
    """Give what every capability refuses with.

    Args:
        capability: As in the name of its secret at Auther.
        purpose: What it is for, in people's words.
    """
    compare = f"compare MIGRATOR_SECRET_{capability}: {PLUGIN}"
    return {
        401: (f"does not know the secret for {purpose}", compare),
        404: (f"has no endpoints for {purpose}", f"install the plugin with its secrets: {PLUGIN}"),
    }


def refuse_clear_text(api: str, purpose: str) -> str:
    """Let pass only addresses that a secret may be sent to; give the host.

    Raises:
        UsageError: It is no address, or the secret would travel unencrypted.
    """
    address = urlsplit(api)
    if not address.hostname or address.scheme not in {"http", "https"}:
        raise UsageError("auther.base_url is no address", hint="write https://… under [auther]")
    if address.scheme == "http" and address.hostname not in _LOOPBACK:
        raise UsageError(
            f"the secret for {purpose} would travel to {address.hostname} unencrypted",
            hint='write base_url = "https://…" under [auther] in migrator.toml',
        )
    return address.hostname


def body_of(value: object) -> bytes:
    """Give a value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
