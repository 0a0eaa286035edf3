"""From the series that a Prometheus keeps to the instances that they came from. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from migrator.core.durations import format_duration
from migrator.metrics.clients import CLIENTS, LABEL
from migrator.metrics.exported import LABELS
from migrator.metrics.exposition import process_of
from migrator.metrics.interface import Doubt, Grade, ShimLook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from prometheus_client.samples import Sample

UP = "up"
# The labels that the shims give their metrics; all others were put on by whoever scraped them.
METRICS: Mapping[str, frozenset[str]] = {**LABELS, UP: frozenset()}
# Prometheus drops labels that are empty; these may be.
MAY_BE_EMPTY = {"reason", "build"}
EXPORTED = "exported_"


class Series(NamedTuple):
    """The newest sample of a series."""

    labels: Mapping[str, str]
    at_ms: int
    value: float


@dataclass(frozen=True)
class _Sample:
    """A sample with the shim's own labels apart from those of its target."""

    own: Sample
    target: frozenset[tuple[str, str]]
    at_ms: int


def shims_of(
    series: Iterable[Series], *, now_s: float, stale_after: timedelta
) -> tuple[ShimLook, ...]:
    """Put the newest scrape of each target together.

    All samples of one scrape have one time. What is not among them has ended: another stage in
    `migrator_shim_info`, a label that a restarted process has not used yet.

    Args:
        series: With their newest samples.
        now_s: The time by the clock of whoever wrote the times of the samples.
        stale_after: A scrape that is older counts for nothing.
    """
    by_address: defaultdict[str, list[_Sample]] = defaultdict(list)
    for one in series:
        sample = _taken_apart(one)
        by_address[_address(sample)].append(sample)
    looks = _Looks(now_s, stale_after)
    return tuple(looks.at(address, found) for address, found in sorted(by_address.items()))


@dataclass(frozen=True)
class _Looks:
    now_s: float
    stale_after: timedelta

    def at(self, address: str, samples: Sequence[_Sample]) -> ShimLook:
        """Read the newest scrape of one address, or say why it counts for nothing."""
        fresh = [sample for sample in samples if self._age(sample) <= self.stale_after]
        if not fresh:
            age = format_duration(min(self._age(sample) for sample in samples))
            reason = f"{address}: the newest scrape is {age} old"
            return ShimLook(address, doubts=(Doubt(Grade.STALE, reason),))
        targets = {sample.target for sample in fresh}
        if len(targets) > 1:
            return ShimLook(address, doubts=(_several(address, targets),))
        newest = max(sample.at_ms for sample in fresh)
        return self._scrape(address, [s.own for s in fresh if s.at_ms == newest])

    def _age(self, sample: _Sample) -> timedelta:
        return timedelta(seconds=self.now_s - sample.at_ms / 1000)

    def _scrape(self, address: str, samples: Sequence[Sample]) -> ShimLook:
        if any(sample.name == UP and sample.value != 1 for sample in samples):
            reason = f"{address}: Prometheus cannot scrape it: gone, or another metrics token"
            return ShimLook(address, doubts=(Doubt(Grade.ERROR, reason),))
        found = process_of(samples)
        if isinstance(found, Doubt):
            return ShimLook(address, doubts=(found._replace(reason=f"{address}: {found.reason}"),))
        return ShimLook(address, found)


def _taken_apart(series: Series) -> _Sample:
    # The package brings a web server, which is for those who are asked.
    from prometheus_client.samples import Sample  # noqa: PLC0415

    labels = dict(series.labels)
    name = labels.pop("__name__")
    own = {label: _own(label, labels) for label in METRICS[name]}
    known = {label: value or "" for label, value in own.items() if value or label in MAY_BE_EMPTY}
    return _Sample(Sample(name, known, series.value), frozenset(labels.items()), series.at_ms)


def _own(label: str, labels: dict[str, str]) -> str | None:
    """Take the shim's own label from among those of its target."""
    # A target's label of the same name pushes it aside.
    aside = labels.pop(EXPORTED + label, None)
    if aside is not None:
        return aside
    # An older shim has no kinds of client: what is called so there is the target's.
    if label == LABEL and labels.get(label) not in CLIENTS:
        return None
    return labels.pop(label, None)


def _address(sample: _Sample) -> str:
    return dict(sample.target).get(
        "instance", "series without a target's instance (honor_labels?)"
    )


def _several(address: str, targets: Iterable[frozenset[tuple[str, str]]]) -> Doubt:
    differing = frozenset.union(*targets) - frozenset.intersection(*targets)
    labels = ", ".join(sorted({name for name, _ in differing}))
    reason = f"{address}: several series where one was meant, by the labels {labels}"
    return Doubt(Grade.AMBIGUOUS, reason)
