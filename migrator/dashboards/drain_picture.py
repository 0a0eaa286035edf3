"""What `drain status` shows, as values: filled by phase 3, drawn by `drain_view`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class CounterRow:
    """Requests of one instance on one path with one outcome, the control's own left out.

    Attributes:
        since_start: Since its counters began.
        since_last: Since the look before; None when nobody can say.
    """

    instance: str
    path: str
    outcome: str
    since_start: int
    since_last: int | None


@dataclass(frozen=True)
class SessionRow:
    """Rows of the session store; `holding` counts those with a user of the migrated model."""

    holding: int
    others: int
    anonymous: int
    undecodable: int
    doubts: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Tell whether every row was read and understood."""
        return not self.doubts


@dataclass(frozen=True)
class ForecastRow:
    """When no more than `rest` sessions are left.

    Attributes:
        p50: As likely before as after; None when unknown.
        p90: Nine of ten such drains are over by then; None when unknown.
        why: What it is read from, or why it is unknown.
        median_error_hours: How wrong earlier forecasts' P50 were; None while no end was counted.
        judged: Number of earlier forecasts.
    """

    rest: int
    p50: datetime | None
    p90: datetime | None
    why: str
    median_error_hours: float | None
    judged: int


@dataclass(frozen=True)
class GateRow:
    """One gate with its verdict.

    Attributes:
        label: E.g. `ACCUMULATING 2/3`.
        since: From when on every sample is of the newest one's class.
    """

    gate: str
    before: str
    state: str
    label: str
    reason: str
    value: float | None
    measured_at: datetime | None
    good_until: datetime | None
    next_look: datetime | None
    since: datetime | None = None


@dataclass(frozen=True)
class DrainPicture:
    """One look at the drain.

    Attributes:
        stage: With its percentage in `dual`; `not set` before the first stage document.
        deadline: `legacy_accept_until`.
        bound: The latest end of the last legacy session, None without one.
        forecasts: The first is about zero sessions.
        looked_before: When the look before was taken.
        scraped: Number of addresses that answered, of `addresses`.
        controlled: Number of instances that counted the marker.
        alive: Number of instances with a fresh heartbeat.
        step: The step that the gates guard.
    """

    migration: str
    at: datetime
    stage: str
    epoch: int
    deadline: datetime | None
    bound: datetime | None
    bound_why: str
    forecasts: tuple[ForecastRow, ...]
    sessions: SessionRow
    counters: tuple[CounterRow, ...]
    looked_before: datetime | None
    addresses: int
    scraped: int
    controlled: int
    alive: int
    expected: str
    doubts: tuple[str, ...]
    step: str
    gates: tuple[GateRow, ...]
    next_command: str
