"""A regress as migrator.toml writes it: what takes the stage back by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from migrator.config.durations import Duration
from migrator.config.gate import HealthMeasurement
from migrator.config.name import Name
from migrator.config.section import Section

# Nothing about the drain: a legacy path that is still used is no reason to go back to it.
Regressable = Literal[HealthMeasurement, "identity_conflicts", "verification_unavailable"]


class RegressSection(Section):
    """A bound of health, and what is done when it is broken for sure.

    Attributes:
        at_most: The greatest value that is well; or `at_least`, the smallest one. Exactly one of them.
        consecutive: So many samples in a row must break it. What is missing or doubtful breaks nothing.
        interval: The time between two samples.
        roll_back: Restore the stage or percentage before, by itself; otherwise it is only said.
        once_in: No rollback by itself follows another one within this time.
    """

    name: Name
    measure: Regressable
    at_most: float | None = None
    at_least: float | None = None
    consecutive: Annotated[int, Field(ge=2)] = 3
    interval: Duration = timedelta(minutes=1)
    roll_back: bool = False
    once_in: Duration = timedelta(hours=24)

    @model_validator(mode="after")
    def _has_one_bound(self) -> RegressSection:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("a regress needs at_most or at_least, and not both")
        if self.interval.total_seconds() <= 0:
            raise ValueError("interval must be longer than 0s")
        return self
