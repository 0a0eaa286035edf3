"""Where the drain is measured."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from migrator.config.durations import Duration
from migrator.config.secrets import SecretRef
from migrator.config.section import Section


class DrainSection(Section):
    """Where the drain is measured. `shims` are the addresses of the instances' metrics.

    A forecast says when no session is left, and when no more than `small_rest` are. Health is judged by
    what was counted within `health_window`.
    """

    shims: tuple[str, ...] = ()
    metrics_token: SecretRef | None = None
    control_secret: SecretRef | None = None
    interval: Duration = timedelta(seconds=30)
    statement_timeout: Duration = timedelta(seconds=10)
    health_window: Duration = timedelta(minutes=5)
    small_rest: int = Field(default=10, ge=0)
