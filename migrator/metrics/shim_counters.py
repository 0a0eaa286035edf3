"""Scrapes the shims' own counters, with a positive control in each look.

Each address is read, sent the signed marker, and read again: the second reading counts, and only if the
marker moved the very counter that legacy traffic moves.
"""

from __future__ import annotations

import secrets
import ssl
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import httpx

from migrator.core.redact import scrub
from migrator.metrics.control import HEADER, NONCE_BYTES, marker
from migrator.metrics.exposition import read_process
from migrator.metrics.interface import Doubt, Grade, Process, ShimLook, ShimsLook

if TYPE_CHECKING:
    from datetime import timedelta

    from migrator.core.clock import Clock

METRICS_PATH = "/migrator/metrics"
CONTROL_PATH = "/migrator/control"
AT_ONCE = 16
COUNTED = httpx.codes.NO_CONTENT


@dataclass(frozen=True)
class ShimCounters:
    """The instances' addresses, past any load balancer.

    Attributes:
        addresses: E.g. `http://10.0.0.5:3000`.
        metrics_token: Bearer token of the metrics; empty when none is configured.
        control_secret: Signs the marker; empty when none is configured.
        timeout: For each request.
        fresh_for: How old an answer may be that says its age.
    """

    addresses: tuple[str, ...]
    metrics_token: str
    control_secret: str
    timeout: timedelta
    fresh_for: timedelta
    clock: Clock

    def look(self) -> ShimsLook:
        """Read all addresses at the same time."""
        if not self.addresses:
            reason = "[drain] shims names no address: no counter can be read"
            return ShimsLook(doubts=(Doubt(Grade.NO_DATA, reason),))
        with (
            httpx.Client(
                timeout=self.timeout.total_seconds(), trust_env=False, verify=_tls()
            ) as client,
            ThreadPoolExecutor(min(AT_ONCE, len(self.addresses))) as pool,
        ):
            shims = tuple(pool.map(lambda address: self._one(client, address), self.addresses))
        return ShimsLook(shims, _answered_twice(shims))

    def _one(self, client: httpx.Client, address: str) -> ShimLook:
        before = self._read(client, address)
        # A fresh process may have no counter yet: the marker makes it one.
        if isinstance(before, Doubt) and before.grade is not Grade.NO_DATA:
            return ShimLook(address, doubts=(before,))
        answered = self._send_marker(client, address)
        after = self._read(client, address)
        if isinstance(after, Doubt):
            return ShimLook(address, doubts=(after,))
        counted, note = _control(before, after)
        return ShimLook(address, after, control_counted=counted, control_note=note or answered)

    def _read(self, client: httpx.Client, address: str) -> Process | Doubt:
        headers = {"Authorization": f"Bearer {self.metrics_token}"}
        try:
            answer = client.get(address.rstrip("/") + METRICS_PATH, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Doubt(Grade.ERROR, f"{scrub(address)} does not answer ({type(error).__name__})")
        if answer.status_code != httpx.codes.OK:
            return Doubt(
                Grade.ERROR, f"{scrub(address)} answers {answer.status_code}{_why(answer)}"
            )
        if _age_s(answer) > self.fresh_for.total_seconds():
            return Doubt(
                Grade.STALE, f"{scrub(address)}: a cache answered, {_age_s(answer)} s old"
            )
        found = read_process(answer.text, at=self.clock.now(), fresh_for=self.fresh_for)
        if isinstance(found, Doubt):
            return found._replace(reason=f"{scrub(address)}: {found.reason}")
        return found

    def _send_marker(self, client: httpx.Client, address: str) -> str:
        """Send it and say what came back."""
        if not self.control_secret:
            return "drain.control_secret is not set"
        value = marker(
            self.control_secret, at=self.clock.now(), nonce=secrets.token_hex(NONCE_BYTES)
        )
        try:
            answer = client.get(address.rstrip("/") + CONTROL_PATH, headers={HEADER: value})
        except httpx.HTTPError as error:
            return f"sending it failed ({type(error).__name__})"
        if answer.status_code == COUNTED:
            return "the shim took it"
        return f"the answer was {answer.status_code}: other secret, other clock, or no shim"


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than a look at a shim.
    return ssl.create_default_context()


def _control(before: Process | Doubt, after: Process) -> tuple[bool, str]:
    """Tell whether the marker moved the counter of the process that is read, and if not, why."""
    if isinstance(before, Doubt):
        return markers_counted(after) > 0, ""
    if (before.instance, before.started_at_s) != (after.instance, after.started_at_s):
        return False, f"another process answered than before, {before.instance}: several workers?"
    return markers_counted(after) > markers_counted(before), ""


def markers_counted(process: Process) -> float:
    """Count the markers that the legacy path's own line has seen."""
    return sum(
        value
        for labels, value in process.requests.items()
        if labels.synthetic and labels.path == "legacy" and labels.outcome == "accepted"
    )


def _answered_twice(shims: tuple[ShimLook, ...]) -> tuple[Doubt, ...]:
    names = Counter(shim.process.instance for shim in shims if shim.process is not None)
    return tuple(
        Doubt(Grade.AMBIGUOUS, f"{count} addresses answer as {name}: a load balancer?")
        for name, count in names.items()
        if count > 1
    )


def _age_s(answer: httpx.Response) -> int:
    age = answer.headers.get("Age", "0")
    return int(age) if age.isdecimal() else 0


def _why(answer: httpx.Response) -> str:
    if answer.status_code == httpx.codes.NOT_FOUND:
        return ": no shim there, or another metrics token"
    return ""
