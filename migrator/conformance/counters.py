"""Reads a shim's counters, and says which of them moved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from migrator.conformance.interface import CannotRunError
from migrator.metrics.exported import INFO, REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.samples import Sample

METRICS_PATH = "/migrator/metrics"
# A shim exposes a few hundred series.
_LINES_REMEMBERED = 4096


@dataclass(frozen=True)
class Reading:
    """One look at the metrics.

    Attributes:
        counts: Each series of a counter as (name, ("label", "value"), …), with its value.
        info: The labels of `migrator_shim_info`.
        gauges: Other values without labels, by name.
    """

    counts: Counter[tuple[str, frozenset[tuple[str, str]]]]
    info: dict[str, str]
    gauges: dict[str, float]

    @property
    def epoch(self) -> int:
        """Give the epoch that the instance follows."""
        return int(self.info.get("epoch") or 0)

    def requests_since(self, before: Reading) -> Counter[str]:
        """Give real requests by "path outcome reason", added up over the stages."""
        found: Counter[str] = Counter()
        for (name, labels), count in (self.counts - before.counts).items():
            of = dict(labels)
            if name == REQUESTS and of.get("synthetic") == "0":
                found[f"{of['path']} {of['outcome']} {of.get('reason', '')}".strip()] += count
        return found

    def grown_since(self, before: Reading, name: str, **labels: str) -> int:
        """Give by how much the series of a counter with these labels grew."""
        wanted = set(labels.items())
        grown = self.counts - before.counts
        return sum(count for (of, found), count in grown.items() if of == name and wanted <= found)


def read(text: str) -> Reading:
    """Read Prometheus' text format.

    Raises:
        CannotRunError: It is something else, or has no `migrator_shim_info`.
    """
    samples = samples_of(text)
    info = next((sample.labels for sample in samples if sample.name == INFO), None)
    if info is None:
        raise CannotRunError(f"{METRICS_PATH} has no {INFO}")
    gauges = {sample.name: sample.value for sample in samples if not sample.labels}
    return Reading(_counts(samples), info, gauges)


def samples_of(text: str) -> list[Sample]:
    """Read each series of Prometheus' text format; they are shared, so leave them as they are.

    Raises:
        CannotRunError: It is something else.
    """
    lines = (line for line in text.split("\n") if not line.startswith("#"))
    try:
        return [sample for line in lines for sample in _samples_of_line(line)]
    except (ValueError, KeyError, IndexError):
        raise CannotRunError(f"{METRICS_PATH} is not in Prometheus' text format") from None


# From one look to the next nearly all series stay as they were.
@lru_cache(_LINES_REMEMBERED)
def _samples_of_line(line: str) -> tuple[Sample, ...]:
    families = text_string_to_metric_families(line)
    return tuple(sample for family in families for sample in family.samples)


def matches(counted: Counter[str], pattern: str) -> bool:
    """Tell whether exactly one request was counted, under "path outcome reason"; * is any text."""
    return counted.total() == 1 and fnmatchcase(next(iter(counted)), pattern)


def _counts(samples: Iterable[Sample]) -> Counter[tuple[str, frozenset[tuple[str, str]]]]:
    found: Counter[tuple[str, frozenset[tuple[str, str]]]] = Counter()
    for sample in samples:
        if sample.name.endswith("_total"):
            found[sample.name, frozenset(sample.labels.items())] += int(sample.value)
    return found
