"""Reads one instance's counters from the Prometheus text format; what is not clear is a doubt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.metrics.clients import LABEL, known_client
from migrator.metrics.exported import INFO, LABELS, REQUESTS, STARTED
from migrator.metrics.interface import Doubt, Grade, Labels, Process, Series

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from prometheus_client.samples import Sample

_SYNTHETIC = {"0": False, "1": True}


@dataclass
class _Found:
    requests: list[Sample] = field(default_factory=list)
    info: list[Sample] = field(default_factory=list)
    started: list[Sample] = field(default_factory=list)
    events: list[Sample] = field(default_factory=list)

    def all(self) -> list[Sample]:
        return [*self.requests, *self.info, *self.started, *self.events]


def read_process(
    text: str, *, at: datetime, fresh_for: timedelta, may_be_idle: bool = False
) -> Process | Doubt:
    """Read the counters of one process.

    Args:
        text: The exposition.
        at: Now.
        fresh_for: How old a sample may be that carries a time of its own.
        may_be_idle: Whether it may have counted nothing yet.
    """
    # Most commands know instances, and few read the text of one.
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    try:
        families = list(text_string_to_metric_families(text))
    except (ValueError, KeyError, IndexError) as error:
        return Doubt(Grade.ERROR, f"not in Prometheus' text format ({type(error).__name__})")
    samples = [sample for family in families for sample in family.samples]
    age = _age_doubt(_found(samples).all(), at=at, fresh_for=fresh_for)
    found = process_of(samples, may_be_idle=may_be_idle)
    return found if isinstance(found, Doubt) else age or found


def process_of(samples: Iterable[Sample], *, may_be_idle: bool = False) -> Process | Doubt:
    """Put the samples of one process together; those of other metrics are left out."""
    found = _found(samples)
    return _first_doubt(found, may_be_idle=may_be_idle) or _process(found)


def _found(samples: Iterable[Sample]) -> _Found:
    found = _Found()
    places = dict.fromkeys(LABELS, found.events)
    places |= {REQUESTS: found.requests, INFO: found.info, STARTED: found.started}
    for sample in samples:
        if sample.name in places:
            places[sample.name].append(sample)
    return found


def _first_doubt(found: _Found, *, may_be_idle: bool) -> Doubt | None:
    for name, samples in ((INFO, found.info), (STARTED, found.started)):
        if not samples:
            return Doubt(Grade.NO_DATA, f"no {name}")
        if len(samples) > 1:
            return Doubt(Grade.AMBIGUOUS, f"{len(samples)} series of {name}, one was meant")
    if not found.requests and not may_be_idle:
        return Doubt(Grade.NO_DATA, f"no {REQUESTS}")
    if any(not math.isfinite(sample.value) or sample.value < 0 for sample in found.all()):
        return Doubt(Grade.AMBIGUOUS, "a value is NaN, infinite or negative")
    keys = [_series(sample) for sample in (*found.requests, *found.events)]
    if len(set(keys)) < len(keys):
        twice = next(key.name for key in keys if keys.count(key) > 1)
        return Doubt(Grade.AMBIGUOUS, f"a series of {twice} occurs twice")
    return None


def _age_doubt(samples: Iterable[Sample], *, at: datetime, fresh_for: timedelta) -> Doubt | None:
    oldest_s = at.timestamp() - fresh_for.total_seconds()
    times_s = [float(s.timestamp) for s in samples if s.timestamp is not None]
    if times_s and min(times_s) < oldest_s:
        return Doubt(Grade.STALE, f"samples are {at.timestamp() - min(times_s):.0f} s old")
    return None


def _process(found: _Found) -> Process | Doubt:
    info = found.info[0].labels
    try:
        return Process(
            instance=info["instance"],
            build=info["build"],
            stage=info["stage"],
            epoch=int(info["epoch"]),
            stage_source=info["source"],
            started_at_s=found.started[0].value,
            requests={_labels(sample): sample.value for sample in found.requests},
            events={_series(sample): sample.value for sample in found.events},
        )
    except (KeyError, ValueError) as error:
        return Doubt(Grade.AMBIGUOUS, f"a label is missing or has an unknown value: {error}")


def _series(sample: Sample) -> Series:
    return Series(sample.name, frozenset(sample.labels.items()))


def _labels(sample: Sample) -> Labels:
    of = sample.labels
    return Labels(
        of["path"],
        of["outcome"],
        of["stage"],
        of["reason"],
        synthetic=_SYNTHETIC[of["synthetic"]],
        client=known_client(of.get(LABEL)),
    )
