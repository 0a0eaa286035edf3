"""Auther's public keys: fetched rarely, kept while good, never replaced by something worse."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable

import httpx
from jwt import PyJWK

from .in_time import Flight, begin, in_time, landed
from .key_documents import parse_keys
from .model import VerificationUnavailableError
from .settings import Settings

# Uncompressed: a few bytes of gzip can unpack to gigabytes before anybody counts them.
_PLAIN = {"accept-encoding": "identity", "accept": "application/json"}
Fetch = Callable[[], Awaitable[bytes]]


class UnknownKeyError(Exception):
    """A set that was fetched for this very request does not hold the key."""


class KeySet:
    """The configured JWKS of one process.

    Args:
        fetch: Gives the document's bytes; the default asks `settings.jwks_url`.
        on_fetch: Told `ok` or `failed` after each fetch.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        fetch: Fetch | None = None,
        on_fetch: Callable[[str], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._fetch = fetch or self._download
        self._on_fetch = on_fetch
        self._monotonic = monotonic
        self._keys: dict[str, PyJWK] = {}
        self._body = b""
        self._good_at: float | None = None
        self._ages_from = float("-inf")
        self._tried_at: float | None = None
        self._flight: Flight[bool] | None = None
        self._lock = threading.Lock()

    @property
    def is_usable(self) -> bool:
        """Tell whether there is a set to go on with."""
        good_at = self._good_at
        return good_at is not None and self._monotonic() - good_at <= self._settings.jwks_stale_s

    def known(self, kid: str) -> PyJWK | None:
        """Give a key without asking anybody; refreshes an ageing set in the background."""
        if self._monotonic() > self._ages_from:
            if not self.is_usable:
                return None
            self._join_or_start()
        return self._keys.get(kid)

    async def find(self, kid: str) -> PyJWK:
        """Give a key, fetching the set again at most once per cooldown whatever the kids.

        Raises:
            UnknownKeyError: The set that was just fetched does not have it.
            VerificationUnavailableError: Nobody can tell: no usable set, or inside the cooldown.
        """
        key = self.known(kid)
        if key is not None:
            return key
        flight, ours = self._join_or_start()
        if flight is None:
            raise VerificationUnavailableError("jwks_cooldown", self._wait_s())
        fetched = await landed(flight)
        key = self.known(kid)
        if key is not None:
            return key
        if not fetched or not ours:
            raise VerificationUnavailableError("jwks_unavailable", max(self._wait_s(), 1))
        raise UnknownKeyError

    def _wait_s(self) -> float:
        if self._tried_at is None:
            return 0
        is_usable, settings = self.is_usable, self._settings
        pause_s = settings.jwks_cooldown_s if is_usable else settings.jwks_retry_s
        return self._tried_at + pause_s - self._monotonic()

    def _join_or_start(self) -> tuple[Flight[bool] | None, bool]:
        """Give the fetch under way, or one that begins unless it is too early; and which it is."""
        with self._lock:
            if self._flight is not None and not self._flight.done():
                return self._flight, False
            if self._wait_s() > 0:
                return None, False
            self._tried_at = self._monotonic()
            self._flight = begin(self._refresh)
            return self._flight, True

    async def _refresh(self) -> bool:
        try:
            # httpx counts its timeout per read; a server that drips bytes would never end.
            body = await in_time(self._settings.jwks_timeout_s, self._fetch)
            # An unchanged set keeps its key objects, and with them what they have verified already.
            if body != self._body:
                self._keys = parse_keys(body, self._settings.algorithms)
                self._body = body
        except (OSError, httpx.HTTPError, TimeoutError, ValueError):
            self._on_fetch("failed")
            return False
        self._good_at = good_at = self._monotonic()
        settings = self._settings
        self._ages_from = good_at + min(settings.jwks_max_age_s, settings.jwks_stale_s)
        self._on_fetch("ok")
        return True

    async def _download(self) -> bytes:
        url, timeout_s = self._settings.jwks_url, self._settings.jwks_timeout_s
        client = httpx.AsyncClient(follow_redirects=False, timeout=timeout_s)
        body = b""
        async with client, client.stream("GET", url, headers=_PLAIN) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"the JWKS answered {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._settings.jwks_max_bytes:
                    raise ValueError("the JWKS is too large")
        return body
