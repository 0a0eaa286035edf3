"""Reads the shims' counters from a Prometheus that scrapes them.

What it answers counts only when it answered in full, when its clock agrees with ours, and when the newest
scrape of an instance is fresh. A marker counts when Prometheus has scraped it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from migrator.core.durations import format_duration
from migrator.core.redact import scrub
from migrator.metrics.calling import client_for
from migrator.metrics.instances import answered_twice
from migrator.metrics.interface import Doubt, Grade, ShimsLook
from migrator.metrics.series import METRICS, Series, shims_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.core.clock import Clock
    from migrator.metrics.control import DelayedControl

QUERY_PATH = "/api/v1/query"
STALE_AFTER_SCRAPES = 3
LOOK_BACK_SCRAPES = 5
SHOWN = 200


class _RefusedError(Exception):
    """There is no answer that counts; the message says why."""


@dataclass(frozen=True)
class Prometheus:
    """Prometheus' HTTP API; also of Thanos, Mimir, VictoriaMetrics.

    Attributes:
        url: Below it is `/api/v1/query`.
        token: Bearer token; empty when none is configured.
        match: Labels that the instances' series have there, and no others'.
        scrape_interval: Of these targets.
        max_skew: By how much its clock may differ from ours.
        control: Sends the marker to the instances.
    """

    url: str
    token: str
    match: Mapping[str, str]
    scrape_interval: timedelta
    timeout: timedelta
    max_skew: timedelta
    control: DelayedControl
    clock: Clock

    def look(self) -> ShimsLook:
        """Read the newest scrape of each instance, after markers were sent and scraped."""
        with client_for(self.timeout) as client:
            return self.control.look(lambda: self._read(client))

    def _read(self, client: httpx.Client) -> ShimsLook:
        try:
            found = self._ask(client, self._selector())
            server_s = float(self._ask(client, "time()")["result"][1])
            series = [_series(one) for one in found["result"]]
        except _RefusedError as error:
            return ShimsLook(doubts=(Doubt(Grade.ERROR, str(error)),))
        except (ValueError, KeyError, IndexError, TypeError) as error:
            reason = f"{scrub(self.url)}: not the answer of a Prometheus ({type(error).__name__})"
            return ShimsLook(doubts=(Doubt(Grade.ERROR, reason),))
        stale_after = STALE_AFTER_SCRAPES * self.scrape_interval
        shims = shims_of(series, now_s=server_s, stale_after=stale_after)
        doubts = [*found["doubts"], *self._skew(server_s), *answered_twice(shims)]
        if not shims:
            doubts.append(Doubt(Grade.NO_DATA, f"Prometheus has no series of {self._labels()}"))
        return ShimsLook(shims, tuple(doubts))

    def _selector(self) -> str:
        names = "|".join(METRICS)
        range_s = (LOOK_BACK_SCRAPES * self.scrape_interval).total_seconds()
        return f'{{__name__=~"{names}",{self._labels()}}}[{max(round(range_s), 1)}s]'

    def _labels(self) -> str:
        return ",".join(
            f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.match.items()
        )

    def _skew(self, server_s: float) -> list[Doubt]:
        ahead = timedelta(seconds=server_s - self.clock.now().timestamp())
        if abs(ahead) <= self.max_skew:
            return []
        which = "ahead of" if ahead > timedelta() else "behind"
        reason = f"the clock of Prometheus is {format_duration(abs(ahead))} {which} ours"
        return [Doubt(Grade.UNPROVEN, reason)]

    def _ask(self, client: httpx.Client, query: str) -> dict[str, Any]:
        """Give the data of an answer, with the doubts that Prometheus has itself.

        Raises:
            _RefusedError: It does not answer, or says that it cannot.
        """
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        address = self.url.rstrip("/") + QUERY_PATH
        limit = {"timeout": f"{self.timeout.total_seconds():g}s"}
        try:
            answer = client.get(address, params={"query": query, **limit}, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = f"{scrub(self.url)} does not answer ({type(error).__name__})"
            raise _RefusedError(said) from error
        if answer.status_code != httpx.codes.OK:
            raise _RefusedError(f"{scrub(self.url)} answers {answer.status_code}{_why(answer)}")
        body = answer.json()
        if body["status"] != "success":
            raise _RefusedError(f"{scrub(self.url)} says {body['status']}{_why(answer)}")
        return {**body["data"], "doubts": _own_doubts(body)}


def _own_doubts(body: Mapping[str, Any]) -> list[Doubt]:
    """Give what Prometheus says against its own answer: part of the data may be missing."""
    said = [*(body.get("warnings") or ()), *(body.get("infos") or ())]
    return [Doubt(Grade.UNPROVEN, f"Prometheus warns: {scrub(str(one))[:SHOWN]}") for one in said]


def _series(found: Mapping[str, Any]) -> Series:
    at_s, value = found["values"][-1]
    return Series(dict(found["metric"]), round(float(at_s) * 1000), float(value))


def _why(answer: httpx.Response) -> str:
    try:
        said = answer.json().get("error", "")
    except (ValueError, AttributeError):
        return ""
    return f": {scrub(str(said))[:SHOWN]}" if said else ""
