"""Counters with closed labels, in Prometheus's text form and as one JSON log line per decision."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from .decision import Decision

STARTED_AT_S = time.time()
_SERVER_ERROR = 500
_PERSONAL = frozenset({"legacy", "auther", "both"})
_PATHS = (*_PERSONAL, "foreign", "none")
_DURATION_BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_EVENTS = {
    "auth_logins": ("Sessions that gained a user.", ("door", "side")),
    "auth_logins_refused": ("Sessions that were kept from gaining one.", ("door", "stage")),
    "auth_logins_failed": ("Logins at Auther that came to no end.", ("reason",)),
    "auth_errors": ("Requests that the application answered with a 5xx.", ("path",)),
    "auth_jwks_fetch": ("Fetches of the key set.", ("result",)),
    "auth_captures": ("Passwords that Auther lacked and was given.", ("result",)),
    "auth_shadow_checks": ("Passwords that were tried at Auther too.", ("result",)),
    "auth_logouts": ("Logouts, by what became of Auther's session.", ("auther",)),
    "auth_exchanges": ("Legacy sessions on their way to Auther.", ("result",)),
    "auth_renewals": ("Ended tokens on their way to new ones.", ("result",)),
    "auth_jit": ("Rows for people whom only Auther knew.", ("result",)),
}
_READ_BY_GATES = ("auth_requests_total{", "migrator_")
_log = logging.getLogger("auther_dual_path")
Info = Callable[[], dict[str, str]]


def are_shared() -> bool:
    """Tell whether several worker processes count together."""
    return bool(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))


class Counters:
    """Counts decisions and logins of this process.

    With several worker processes each has its own; set `PROMETHEUS_MULTIPROC_DIR` (see
    prometheus_client's documentation) and any of them answers with the sum.

    Args:
        info: Gives the labels of `migrator_shim_info` at the time of the scrape.
    """

    def __init__(self, info: Info) -> None:
        self._registry = CollectorRegistry()
        labels = ("path", "outcome", "stage", "reason", "client", "synthetic")
        self._requests = self._counter("auth_requests", "Requests by decision.", labels)
        self._durations = Histogram(
            "auth_decision_duration_seconds",
            "How long a request waits for its decision.",
            registry=self._registry,
            buckets=_DURATION_BUCKETS_S,
        )
        self._events = {name: self._counter(name, *about) for name, about in _EVENTS.items()}
        for path in _PATHS:
            # There from the start: none so far is not the same as not counted.
            self._events["auth_errors"].labels(path)
        self._of_labels: dict[tuple[str, ...], tuple[Counter, str]] = {}
        self._info = info
        self.detector_sees_fixture: bool | None = None

    def decided(
        self,
        decision: Decision,
        stage: str,
        *,
        from_browser: bool = False,
        synthetic: bool = False,
        seconds: float | None = None,
    ) -> None:
        """Count a request; real traffic and the positive control go through this same line.

        Args:
            decision: What was decided.
            stage: In which stage.
            from_browser: Whether the request has the signs of a browser.
            synthetic: Whether it is the positive control.
            seconds: How long the request waited for it, where that was measured.
        """
        mark = "1" if synthetic else "0"
        client = _client_of(decision, from_browser=from_browser)
        labels = (decision.path, decision.outcome, stage, decision.reason, client, mark)
        # Few combinations exist; to find a child and to write a line takes longer than to count.
        found = self._of_labels.get(labels)
        if found is None:
            line = json.dumps(_line(decision, stage, client, synthetic))
            found = self._of_labels[labels] = (self._requests.labels(*labels), line)
        child, line = found
        child.inc()
        if seconds is not None:
            self._durations.observe(seconds)
        if _log.isEnabledFor(logging.INFO):
            if decision.parties:
                line = json.dumps(_line(decision, stage, client, synthetic))
            if seconds is not None:
                line = f'{line[:-1]}, "waited_us": {round(seconds * 1_000_000)}}}'
            _log.handle(_record(line))

    def answered(self, decision: Decision | None, status: int) -> None:
        """Count an answer of the application, where it failed; without a decision nothing."""
        if decision is not None and status >= _SERVER_ERROR:
            self.count("auth_errors", decision.path)

    def count(self, name: str, *labels: str) -> None:
        """Count something else, e.g. `count("auth_logins", "form", "legacy")`."""
        self._events[name].labels(*labels).inc()
        facts = dict(zip(_EVENTS[name][1], labels, strict=True))
        _log.info(json.dumps({"event": name, **facts}))

    def exposition(self) -> bytes:
        """Give everything in Prometheus's text form."""
        registry = self._registry
        if are_shared():
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        own = CollectorRegistry()
        own.register(_Shim(self._info(), self.detector_sees_fixture))
        return generate_latest(registry) + generate_latest(own)

    def last(self) -> str:
        """Give what gates read, in the same form."""
        lines = self.exposition().decode().splitlines()
        return "".join(f"{line}\n" for line in lines if line.startswith(_READ_BY_GATES))

    def _counter(self, name: str, about: str, labels: tuple[str, ...]) -> Counter:
        return Counter(name, about, labels, registry=self._registry)


class _Shim(Collector):
    def __init__(self, labels: dict[str, str], sees_fixture: bool | None) -> None:
        self._labels = labels
        self._sees_fixture = sees_fixture

    def collect(self) -> Iterator[GaugeMetricFamily]:
        info = GaugeMetricFamily("migrator_shim_info", "This shim.", labels=list(self._labels))
        info.add_metric(list(self._labels.values()), 1)
        yield info
        start = "migrator_process_start_time_seconds"
        yield GaugeMetricFamily(start, "When this process began.", value=STARTED_AT_S)
        if self._sees_fixture is not None:
            name, about = "auth_detector_sees_fixture", "Whether a legacy session would be seen."
            yield GaugeMetricFamily(name, about, value=float(self._sees_fixture))


def _record(line: str) -> logging.LogRecord:
    """Give the record that `_log.info(line)` would make.

    To find out anew what never changes takes longer than all the rest of a decision.
    """
    if logging.getLogRecordFactory() is not logging.LogRecord:
        # Yours may add what differs from request to request.
        return _made(line)
    record = logging.LogRecord.__new__(logging.LogRecord)
    record.__dict__.update(_what_records_share())
    at_s, first_s = time.time(), record.created
    record.msg = line
    record.created = at_s
    record.msecs = at_s * 1000 // 1 % 1000
    record.relativeCreated += (at_s - first_s) * 1000
    record.thread = threading.get_ident()
    record.threadName = threading.current_thread().name
    return record


@cache
def _what_records_share() -> Mapping[str, Any]:
    found = vars(_made(""))
    # Since Python 3.12: the task that happened to log first.
    return found | {"taskName": None} if "taskName" in found else found


# A forked process has an id of its own.
os.register_at_fork(after_in_child=_what_records_share.cache_clear)


def _made(line: str) -> logging.LogRecord:
    return _log.makeRecord(_log.name, logging.INFO, __file__, 0, line, (), None, "decided")


def _client_of(decision: Decision, *, from_browser: bool) -> str:
    """Say what kind of client asks: by the signs of a browser, without any by its credential.

    A person's credential makes it an app; an API key, another's bearer or none a program.
    """
    if from_browser:
        return "browser"
    claims = decision.user.claims if decision.user is not None else {}
    personal = decision.path in _PERSONAL and "apiKeyId" not in claims
    return "app" if personal else "api"


def _line(decision: Decision, stage: str, client: str, synthetic: bool) -> dict[str, object]:
    line: dict[str, object] = {
        "event": "auth",
        "path": decision.path,
        "outcome": decision.outcome,
        "stage": stage,
        "reason": decision.reason,
        "client": client,
    }
    if synthetic:
        line["synthetic"] = True
    # Ids of a conflict, shortened hashes only: enough to see that it is the same two again.
    return line | ({"parties": list(decision.parties)} if decision.parties else {})
