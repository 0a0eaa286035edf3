"""The positive control: a signed marker that every shim counts like legacy traffic."""

from __future__ import annotations

import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import httpx

from migrator.metrics.calling import client_for
from migrator.metrics.interface import Grade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, timedelta

    from migrator.core.clock import Clock
    from migrator.metrics.interface import Doubt, Process, ShimLook, ShimsLook

HEADER = "X-Migrator-Control"
NONCE_BYTES = 16
CONTROL_PATH = "/migrator/control"
COUNTED = httpx.codes.NO_CONTENT
AT_ONCE = 16


def marker(secret: str, *, at: datetime, nonce: str) -> str:
    """Make the header's value: `v1.<unix seconds>.<nonce>.<HMAC-SHA256>`, good for 60 s and once.

    Args:
        secret: Shared with the shims.
        at: Now.
        nonce: 32 hex digits, never used before.
    """
    signed = f"v1.{int(at.timestamp())}.{nonce}"
    return f"{signed}.{hmac.new(secret.encode(), signed.encode(), sha256).hexdigest()}"


class Sent(NamedTuple):
    """What became of a marker: whether a shim took it, and that in words."""

    taken: bool
    note: str


def send_marker(client: httpx.Client, address: str, *, secret: str, at: datetime) -> Sent:
    """Send one to an instance."""
    if not secret:
        return Sent(taken=False, note="drain.control_secret is not set")
    headers = {HEADER: marker(secret, at=at, nonce=secrets.token_hex(NONCE_BYTES))}
    try:
        answer = client.get(address.rstrip("/") + CONTROL_PATH, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Sent(taken=False, note=f"sending it failed ({type(error).__name__})")
    if answer.status_code == COUNTED:
        return Sent(taken=True, note="the shim took it")
    said = f"the answer was {answer.status_code}: other secret, other clock, or no shim"
    return Sent(taken=False, note=said)


def markers_counted(process: Process) -> float:
    """Count the markers that the legacy path's own line has seen."""
    return sum(
        value
        for labels, value in process.requests.items()
        if labels.synthetic and labels.path == "legacy" and labels.outcome == "accepted"
    )


@dataclass(frozen=True)
class DelayedControl:
    """The control where counters are not read from the shims themselves, but arrive somewhere later.

    Attributes:
        addresses: Of the instances; those whose address is not known stay unproven.
        within: How long the way may take.
        every: The time between two readings.
    """

    addresses: tuple[str, ...]
    secret: str
    timeout: timedelta
    within: timedelta
    every: timedelta
    clock: Clock

    def look(self, read: Callable[[], ShimsLook]) -> ShimsLook:
        """Read, send markers, and read until every marker that was taken has arrived, or time is up.

        An instance is proven when it counted one more than before. Markers do not say who sent them,
        but only genuine ones are counted.
        """
        before = {process.instance: process for process in read().processes}
        sent = self._send()
        taken, note = sum(one.taken for one in sent), _note(sent)
        until = self.clock.now() + self.within
        while True:
            found = _proven(read(), before, note=note, any_taken=taken > 0)
            if self.clock.now() >= until or not _is_under_way(found, taken):
                return found
            self.clock.sleep(self.every.total_seconds())

    def _send(self) -> tuple[Sent, ...]:
        if not self.addresses:
            return ()
        at = self.clock.now()
        with (
            client_for(self.timeout) as client,
            ThreadPoolExecutor(min(AT_ONCE, len(self.addresses))) as pool,
        ):
            send = partial(send_marker, client, secret=self.secret, at=at)
            return tuple(pool.map(send, self.addresses))


def _note(sent: tuple[Sent, ...]) -> str:
    if not sent:
        return "[drain] shims names no address to send it to"
    failed = [one.note for one in sent if not one.taken]
    return failed[0] if failed else "the shims took it, but it did not arrive in time"


def _proven(
    found: ShimsLook, before: Mapping[str, Process], *, note: str, any_taken: bool
) -> ShimsLook:
    def judged(shim: ShimLook) -> ShimLook:
        counted = any_taken and shim.process is not None and _moved(shim.process, before)
        return replace(shim, control_counted=counted, control_note="" if counted else note)

    return replace(found, shims=tuple(judged(shim) for shim in found.shims))


def _is_under_way(found: ShimsLook, taken: int) -> bool:
    """Tell whether a marker may still arrive: where something is broken, waiting does not mend it."""
    if sum(shim.control_counted for shim in found.shims) >= taken:
        return False
    if not found.shims:
        return _nothing_yet(found.doubts)
    return any(not shim.control_counted and _nothing_yet(shim.doubts) for shim in found.shims)


def _nothing_yet(doubts: Iterable[Doubt]) -> bool:
    """A fresh process has no counter before its first marker."""
    return all(doubt.grade is Grade.NO_DATA for doubt in doubts)


def _moved(now: Process, before: Mapping[str, Process]) -> bool:
    known = before.get(now.instance)
    if known is None or known.started_at_s != now.started_at_s:
        return markers_counted(now) > 0
    return markers_counted(now) > markers_counted(known)
