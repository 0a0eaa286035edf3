"""What health is judged by, as figures that can be added up: over series, instances and time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from migrator.metrics.base import Base, Mark, increment
from migrator.metrics.exported import (
    DURATION,
    ERRORS,
    KEY_FETCHES,
    LOGINS,
    LOGINS_FAILED,
    LOGINS_REFUSED,
)
from migrator.metrics.interface import Doubt, Window
from migrator.metrics.measures import CONFLICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from migrator.metrics.interface import Process, Series
    from migrator.state.health_history import StoredCounts

REQUESTS, UNAVAILABLE, IDENTITY_CONFLICTS = "requests", "unavailable", "conflicts"
SIGN_INS, SIGN_INS_FAILED = "sign_ins", "sign_ins_failed"
KEY_FETCHES_FAILED = "key_fetches_failed"
# Seconds in which nobody told of more than requests.
UNTOLD = "untold_s"
APPLICATION_ERRORS = "application_errors"
REFUSED, WITHIN = "refused:", "within:"  # a door and a bound in seconds follow
_SEPARATOR = "\t"
# A session that goes on by itself is nobody's sign-in, though it is counted among the logins.
_NOBODY = {"auth_exchanges_total", "auth_renewals_total"}


def counts_of(process: Process) -> dict[str, float]:
    """Give what a process has counted since it began."""
    found: defaultdict[str, float] = defaultdict(float)
    for labels, value in process.requests.items():
        if labels.synthetic:
            continue
        found[REQUESTS] += value
        found[UNAVAILABLE] += value if labels.outcome == "unavailable" else 0
        found[IDENTITY_CONFLICTS] += value if labels.reason in CONFLICTS else 0
    for series, value in process.events.items():
        for name, share in _named(series):
            found[name] += share * value
    return dict(found)


def _named(series: Series) -> Iterable[tuple[str, int]]:
    """Name what a series adds to, or takes away from."""
    name, labels = series.name, dict(series.labels)
    if name == LOGINS and labels["door"] != "remember_me":
        yield SIGN_INS, 1
    elif name in _NOBODY and labels["result"] == "ok":
        yield SIGN_INS, -1
    elif name == LOGINS_FAILED:
        yield SIGN_INS_FAILED, 1
    elif name == KEY_FETCHES:
        yield KEY_FETCHES_FAILED, int(labels["result"] == "failed")
    elif name == ERRORS:
        yield APPLICATION_ERRORS, 1
    elif name == LOGINS_REFUSED:
        yield f"{REFUSED}{labels['door']}", 1
    elif name == f"{DURATION}_bucket":
        yield f"{WITHIN}{float(labels['le']):g}", 1


def marks_of(processes: Iterable[Process], *, at: datetime) -> dict[str, Mark]:
    """Give where each figure of each process stands; a mark of the process itself goes first."""
    marks: dict[str, Mark] = {}
    for process in processes:
        marks[process.instance] = Mark(process.started_at_s, 0, at)
        for name, total in counts_of(process).items():
            key = f"{process.instance}{_SEPARATOR}{name}"
            marks[key] = Mark(process.started_at_s, total, at)
    return marks


def increments(marks: Mapping[str, Mark], base: Base) -> tuple[dict[str, float], bool]:
    """Count what is new since the look before, and tell whether all of it is known."""
    found: defaultdict[str, float] = defaultdict(float)
    known = True
    for key, mark in marks.items():
        instance, _, name = key.partition(_SEPARATOR)
        # A figure that is there for the first time counts from when its process was read before.
        fresh = increment(key if key in base.marks else instance, mark, base)
        if isinstance(fresh, Doubt):
            known = False
        elif name:
            found[name] += fresh
    return dict(found), known


def within(slots: Iterable[StoredCounts], begins: datetime, ends: datetime) -> Window:
    """Add up what was counted in a span; of a slot that reaches beyond it, its share."""
    counts: defaultdict[str, float] = defaultdict(float)
    covered_s = 0.0
    for slot in slots:
        length_s = (slot.ended - slot.began).total_seconds()
        inside_s = (min(slot.ended, ends) - max(slot.began, begins)).total_seconds()
        if inside_s <= 0 or length_s <= 0:
            continue
        covered_s += slot.covered_s * inside_s / length_s
        for name, count in slot.counts.items():
            counts[name] += count * inside_s / length_s
    span_s = (ends - begins).total_seconds()
    untold_s = counts.pop(UNTOLD, 0.0)
    if span_s <= 0:
        return Window(begins, ends, dict(counts), covered=0)
    covered, told = min(covered_s / span_s, 1), 1 - min(untold_s / span_s, 1)
    return Window(begins, ends, dict(counts), covered, told)


def quantile(counts: Mapping[str, float], share: float) -> float | None:
    """Estimate a quantile of the shim's own time from its buckets, in seconds.

    As Prometheus does: evenly spread within a bucket, and never above the last bound. None without
    any request.
    """
    buckets = sorted(
        (float(name.removeprefix(WITHIN)), count)
        for name, count in counts.items()
        if name.startswith(WITHIN)
    )
    total = buckets[-1][1] if buckets else 0
    if total <= 0:
        return None
    below_s, below = 0.0, 0.0
    for bound_s, count in buckets:
        if count >= share * total:
            if bound_s == float("inf"):
                break
            return below_s + (bound_s - below_s) * (share * total - below) / (count - below)
        below_s, below = bound_s, count
    return below_s
