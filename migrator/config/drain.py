"""Where the drain is measured."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from migrator.config.durations import Duration
from migrator.config.secrets import SecretRef
from migrator.config.section import Section


class DrainSection(Section):
    """Where the drain is measured. `shims` are the addresses of the instances' metrics.

    A forecast says when no session is left, and when no more than `small_rest` are. The census reads no
    more than `census_rows_per_s`, and looks for rows that are gone every `census_sweep_every`; where it
    counts a store as a whole, looks rely on that for `census_good_for`.
    """

    shims: tuple[str, ...] = ()
    metrics_token: SecretRef | None = None
    control_secret: SecretRef | None = None
    interval: Duration = timedelta(seconds=30)
    statement_timeout: Duration = timedelta(seconds=10)
    small_rest: int = Field(default=10, ge=0)
    census_rows_per_s: int = Field(default=20_000, ge=1)
    census_sweep_every: Duration = timedelta(minutes=15)
    census_good_for: Duration = timedelta(minutes=2)
