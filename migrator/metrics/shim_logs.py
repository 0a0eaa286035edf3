"""Counts the lines that the shims write to their logs, one for each decision.

Counts and the places where reading ended are one value of the state: a reading that is killed has counted
nothing, and the next one begins where the last whole one ended. What nobody can read any more is a hole.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.core.durations import format_duration
from migrator.metrics.exported import DURATION, DURATION_BUCKETS_S
from migrator.metrics.interface import (
    Doubt,
    Grade,
    Labels,
    Process,
    Series,
    ShimLook,
    ShimsLook,
)
from migrator.metrics.log_files import Places, read_on
from migrator.metrics.log_line import UnreadableError, decision_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from migrator.core.clock import Clock
    from migrator.metrics.control import DelayedControl
    from migrator.state.checkpoints import Checkpoints

SUBJECT = "drain"
MAX_KINDS = 1000
ATTEMPTS = 3
BUCKETS = (*(f"{bound:g}" for bound in DURATION_BUCKETS_S), "+Inf")


@dataclass
class _Counted:
    """What is remembered of one instance.

    Attributes:
        since_s: When counting began, seconds since 1970.
        stage: Of the newest line.
        waits: Lines that say how long a request waited, by the smallest bucket that it fits in.
        hole: The newest hole, in words.
    """

    pattern: str
    since_s: float
    stage: str = ""
    requests: Counter[Labels] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    holes: int = 0
    hole: str = ""
    places: Places | None = None

    def line(self, text: bytes) -> None:
        """Count a line."""
        try:
            decided = decision_of(text)
        except UnreadableError:
            self.miss("a line that cannot be read")
            return
        if decided is None:
            return
        labels, waited_s = decided
        if labels not in self.requests and len(self.requests) >= MAX_KINDS:
            self.miss("more kinds of lines than a shim writes")
            return
        self.requests[labels] += 1
        self.stage = labels.stage
        if waited_s is not None:
            self.waits[_bucket_of(waited_s)] += 1

    def miss(self, hole: str) -> None:
        """Remember that something was not counted."""
        self.holes, self.hole = self.holes + 1, hole

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        kept = {
            name: value for name, value in vars(self).items() if name not in {"requests", "places"}
        }
        requests = [[*labels, count] for labels, count in sorted(self.requests.items())]
        places = None if self.places is None else self.places.to_json()
        return {**kept, "requests": requests, "places": places}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> _Counted:
        """Read what `to_json` wrote."""
        requests = Counter({Labels(*labels): count for *labels, count in data["requests"]})
        places = data["places"] and Places.from_json(data["places"])
        waits = Counter(data.get("waits", {}))
        return cls(**{**data, "requests": requests, "waits": waits, "places": places})


@dataclass(frozen=True)
class ShimLogs:
    """Log lines: JSONL files that are followed through rotation.

    Attributes:
        logs: Path or pattern of the log by the instance that writes it.
        timeout: For reading what is new of all logs.
        control: Sends the marker to the instances.
    """

    logs: Mapping[str, str]
    checkpoints: Checkpoints
    timeout: timedelta
    control: DelayedControl
    clock: Clock

    def look(self) -> ShimsLook:
        """Read what is new, then send markers and wait for their lines."""
        return self.control.look(self._read)

    def _read(self) -> ShimsLook:
        until = self.clock.now() + self.timeout
        shims = tuple(self._one(name, log, until) for name, log in self.logs.items())
        return ShimsLook(shims, by_process=False)

    def _one(self, instance: str, pattern: str, until: datetime) -> ShimLook:
        key = f"log {instance}"
        try:
            for _ in range(ATTEMPTS):
                stored = self.checkpoints.get(SUBJECT, key)
                counted, doubts = self._further(stored, pattern, until)
                new = counted.to_json()
                if new == stored or self.checkpoints.swap(SUBJECT, key, before=stored, after=new):
                    return ShimLook(pattern, _process(instance, counted), doubts=doubts)
        except OSError as error:
            reason = f"{pattern} cannot be read ({type(error).__name__})"
            return ShimLook(pattern, doubts=(Doubt(Grade.ERROR, reason),))
        reason = f"the log of {instance} is being read by another command"
        return ShimLook(pattern, doubts=(Doubt(Grade.ERROR, reason),))

    def _further(
        self, stored: Any, pattern: str, until: datetime
    ) -> tuple[_Counted, tuple[Doubt, ...]]:
        """Read on from what is stored; for another pattern begin anew."""
        counted = _Counted(pattern, self.clock.now().timestamp())
        if stored is not None and stored["pattern"] == pattern:
            counted = _Counted.from_json(stored)
        read = read_on(
            pattern, counted.places, line=counted.line, is_late=lambda: self.clock.now() > until
        )
        counted.places = read.places
        for hole in read.holes:
            counted.miss(hole)
        doubts = []
        if not read.is_there:
            doubts.append(Doubt(Grade.NO_DATA, f"no file is called {pattern}"))
        if not read.is_complete:
            limit = format_duration(self.timeout)
            reason = f"{pattern} was not read to its end in {limit}: an estimate"
            doubts.append(Doubt(Grade.UNPROVEN, reason))
        return counted, tuple(doubts)


def _process(instance: str, counted: _Counted) -> Process:
    return Process(
        instance=instance,
        build="",
        stage=counted.stage,
        epoch=0,
        stage_source="log",
        started_at_s=counted.since_s,
        requests=dict(counted.requests),
        holes=counted.holes,
        hole=counted.hole,
        events=dict(_durations(counted.waits)),
        tells_logins=False,
    )


def _bucket_of(waited_s: float) -> str:
    return next((bound for bound in BUCKETS if waited_s <= float(bound)), BUCKETS[-1])


def _durations(waits: Mapping[str, int]) -> Iterator[tuple[Series, float]]:
    """Give the histogram that the shims themselves export: what fits in a bucket fits in the larger ones."""
    total = 0
    for bound in BUCKETS if waits else ():
        total += waits.get(bound, 0)
        yield Series(f"{DURATION}_bucket", frozenset({("le", bound)})), total
