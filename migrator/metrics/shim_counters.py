"""Scrapes the shims' own counters, with a positive control in each look.

Each address is read, sent the signed marker, and read again: the second reading counts, and only if the
marker moved the very counter that legacy traffic moves.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from migrator.core.redact import scrub
from migrator.metrics.calling import client_for
from migrator.metrics.control import AT_ONCE, markers_counted, send_marker
from migrator.metrics.exposition import read_process
from migrator.metrics.instances import answered_twice
from migrator.metrics.interface import Doubt, Grade, Process, ShimLook, ShimsLook

if TYPE_CHECKING:
    from datetime import timedelta

    from migrator.core.clock import Clock

METRICS_PATH = "/migrator/metrics"


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
            client_for(self.timeout) as client,
            ThreadPoolExecutor(min(AT_ONCE, len(self.addresses))) as pool,
        ):
            shims = tuple(pool.map(lambda address: self._one(client, address), self.addresses))
        return ShimsLook(shims, answered_twice(shims))

    def _one(self, client: httpx.Client, address: str) -> ShimLook:
        before = self._read(client, address)
        # A fresh process may have no counter yet: the marker makes it one.
        if isinstance(before, Doubt) and before.grade is not Grade.NO_DATA:
            return ShimLook(address, doubts=(before,))
        sent = send_marker(client, address, secret=self.control_secret, at=self.clock.now())
        after = self._read(client, address)
        if isinstance(after, Doubt):
            return ShimLook(address, doubts=(after,))
        counted, note = _control(before, after)
        return ShimLook(address, after, control_counted=counted, control_note=note or sent.note)

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


def _control(before: Process | Doubt, after: Process) -> tuple[bool, str]:
    """Tell whether the marker moved the counter of the process that is read, and if not, why."""
    if isinstance(before, Doubt):
        return markers_counted(after) > 0, ""
    if (before.instance, before.started_at_s) != (after.instance, after.started_at_s):
        return False, f"another process answered than before, {before.instance}: several workers?"
    return markers_counted(after) > markers_counted(before), ""


def _age_s(answer: httpx.Response) -> int:
    age = answer.headers.get("Age", "0")
    return int(age) if age.isdecimal() else 0


def _why(answer: httpx.Response) -> str:
    if answer.status_code == httpx.codes.NOT_FOUND:
        return ": no shim there, or another metrics token"
    return ""
