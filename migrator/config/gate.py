"""A gate as migrator.toml writes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from migrator.config.durations import Duration
from migrator.config.name import Name
from migrator.config.section import Section

HealthMeasurement = Literal[
    "error_ratio",
    "sign_in_success",
    "sign_in_failures",
    "shim_p95_seconds",
    "jwks_failures",
    "login_refusals",
]
Measurement = Literal[
    "legacy_requests",
    "legacy_sessions",
    "total_requests",
    "identity_conflicts",
    "verification_unavailable",
    "import_differences",
    "sync_lag_seconds",
    "sync_lag_rows",
    "write_back_lag_seconds",
    "write_back_open_users",
    HealthMeasurement,
    "auther_sign_ins",
    "auther_sign_in_failures",
    "auther_rehash_failures",
    "unrehashed_users",
    "legacy_homes",
    "users_seen_on_legacy",
    "canaries_refused",
    "shadow_refused_share",
    "sign_in_load",
    "unacknowledged_users",
    "rollbacks",
    "refused_reads",
]


class GateSection(Section):
    """A gate: a measurement, bounds, a duration.

    Attributes:
        before: The step it guards: a stage, or `remove`.
        at_most: The value to enter OK; `at_least` likewise. One of them is required.
        leave_above: Above this an OK run ends, when it differs from `at_most`.
        leave_below: Below this an OK run ends, when it differs from `at_least`.
        consecutive: OK samples in a row.
        span: The time they must cover at least.
        interval: The time between two samples; 90 % of those expected in the span must be OK.
        control: Ask for the positive control; `legacy_requests` cannot do without it.
    """

    name: Name
    before: Literal["dual", "drain", "auther", "remove"]
    measure: Measurement
    at_most: float | None = None
    at_least: float | None = None
    leave_above: float | None = None
    leave_below: float | None = None
    consecutive: Annotated[int, Field(ge=1)] = 3
    span: Duration
    interval: Duration = timedelta(minutes=5)
    control: bool = True

    @model_validator(mode="after")
    def _has_a_bound(self) -> GateSection:
        if self.at_most is None and self.at_least is None:
            raise ValueError(
                "a gate needs at_most or at_least; one without a condition proves nothing"
            )
        return self

    @model_validator(mode="after")
    def _leaves_outside_of_where_it_enters(self) -> GateSection:
        above, below = self.leave_above, self.leave_below
        if above is not None and (self.at_most is None or above < self.at_most):
            raise ValueError("leave_above goes with an at_most that is not greater")
        if below is not None and (self.at_least is None or below > self.at_least):
            raise ValueError("leave_below goes with an at_least that is not smaller")
        return self

    @model_validator(mode="after")
    def _quiet_is_proven(self) -> GateSection:
        if self.measure == "legacy_requests" and not self.control:
            raise ValueError(
                "legacy_requests needs the control: without it a dead counter looks quiet"
            )
        if self.interval.total_seconds() <= 0:
            raise ValueError("interval must be longer than 0s")
        return self
