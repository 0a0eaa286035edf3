"""Where the drain is measured."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from migrator.config.durations import Duration
from migrator.config.secrets import SecretRef
from migrator.config.section import Section

Counters = Literal["shims", "prometheus", "logs"]
LabelName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class PrometheusSection(Section):
    """A Prometheus, or what answers as one, that scrapes the instances.

    Attributes:
        match: Labels that the instances' series have there, and no others' have.
        scrape_interval: Prometheus's own for these targets.
    """

    url: str
    token: SecretRef | None = None
    match: Annotated[dict[LabelName, str], Field(min_length=1)]
    scrape_interval: Duration = timedelta(seconds=15)


class LogSection(Section):
    """The log of one instance.

    Attributes:
        files: Path or pattern of the files that are written to; rotated ones are found beside them.
    """

    instance: Annotated[str, Field(min_length=1, max_length=100)]
    files: Annotated[str, Field(min_length=1)]


class DrainSection(Section):
    """Where the drain is measured. `shims` are the addresses of the instances' metrics.

    A forecast says when no session is left, and when no more than `small_rest` are. The census reads no
    more than `census_rows_per_s`, and looks for rows that are gone every `census_sweep_every`; where it
    counts a store as a whole, looks rely on that for `census_good_for`. A session store that nobody has
    written to for `sessions_alive_within` proves nothing. A user counts as
    seen on the legacy path for `seen_within`. Health is judged by what was counted within
    `health_window`.
    """

    counters: Counters = "shims"
    shims: tuple[str, ...] = ()
    metrics_token: SecretRef | None = None
    control_secret: SecretRef | None = None
    interval: Duration = timedelta(seconds=30)
    statement_timeout: Duration = timedelta(seconds=10)
    health_window: Duration = timedelta(minutes=5)
    small_rest: int = Field(default=10, ge=0)
    census_rows_per_s: int = Field(default=20_000, ge=1)
    census_sweep_every: Duration = timedelta(minutes=15)
    census_good_for: Duration = timedelta(minutes=2)
    sessions_alive_within: Duration = timedelta(hours=1)
    seen_within: Duration = timedelta(days=1)
    prometheus: PrometheusSection | None = None
    logs: tuple[LogSection, ...] = ()

    @model_validator(mode="after")
    def _says_where_its_counters_are(self) -> DrainSection:
        if self.counters == "prometheus" and self.prometheus is None:
            raise ValueError(
                'counters = "prometheus" goes with url and match in [drain.prometheus]'
            )
        if self.counters == "logs" and not self.logs:
            raise ValueError('counters = "logs" goes with a [[drain.logs]] for each instance')
        names = [log.instance for log in self.logs]
        if len(set(names)) < len(names):
            raise ValueError("two [[drain.logs]] have the same instance")
        return self
