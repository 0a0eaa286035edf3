"""What `drain status` and the page show, as values: filled by phase 3, kept for those who did not look themselves."""

from __future__ import annotations

# Types are read at run time, by whatever reads a kept picture.
from collections.abc import Mapping  # noqa: TC003
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003

from migrator.dashboards.health_view import HealthRow  # noqa: TC001
from migrator.metrics.clients import UNKNOWN


@dataclass(frozen=True)
class CounterRow:
    """Requests of one instance on one path with one outcome from one kind of client, the control's own left out.

    Attributes:
        since_start: Since its counters began.
        since_last: Since the look before; None when nobody can say.
    """

    instance: str
    path: str
    outcome: str
    since_start: int
    since_last: int | None
    client: str = UNKNOWN


@dataclass(frozen=True)
class SessionRow:
    """Rows of the session store.

    Attributes:
        holding: Those with a user of the migrated model.
        endless: Those among them that never end by themselves, where the store tells of each.
        unseen: Rows that nobody has looked into yet.
    """

    holding: int
    others: int
    anonymous: int
    undecodable: int
    doubts: tuple[str, ...]
    endless: int = 0
    unseen: int = 0

    @property
    def known(self) -> bool:
        """Tell whether every row was read and understood."""
        return not self.doubts

    @property
    def unknown(self) -> bool:
        """Tell whether nothing at all is known: then zero is no number."""
        seen = self.holding + self.others + self.anonymous + self.undecodable
        return bool(self.doubts) and not seen


@dataclass(frozen=True)
class InstanceRow:
    """One instance as its heartbeat, or the lack of one, shows it.

    Attributes:
        state: `follows`, `behind` (an older stage document), `silent` or `never reported`.
        stage: What it follows; empty when it never reported.
        source: Where it has its stage from: `live`, `cached` or `baked`.
        heard_at: Of its last heartbeat; None without one.
    """

    instance: str
    state: str
    build: str = ""
    stage: str = ""
    epoch: int = 0
    source: str = ""
    heard_at: datetime | None = None


@dataclass(frozen=True)
class SeenRow:
    """Users by how long ago they were last seen, on each path.

    Attributes:
        within: `1h`, `1d`, …, `longer`, or `never` since the shim is there.
    """

    within: str
    legacy: int
    auther: int


@dataclass(frozen=True)
class HomesRow:
    """The users that `migrator_identity` knows; zeros mean nothing while there is a doubt.

    Attributes:
        legacy: Those at home on the legacy path.
        pinned: Those among them who cannot move.
    """

    legacy: int = 0
    auther: int = 0
    pinned: int = 0
    seen: tuple[SeenRow, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Populations:
    """All that can still come by the legacy path; None where nobody can tell.

    Attributes:
        sessions: Sessions by what they hold.
        remember_me: Users of whom a remember-me token may be out there, which makes new sessions.
        remember_me_recent: Those among them who were remembered first within `remember_for`.
        foreign_requests: Requests with other bearers that the shims counted since they began.
        clients: Accepted legacy requests by kind of client since the shims began; `unknown` are those of older
            shims, and a kind that they may hide is left out, not zero.
        homes: Users by home and by when they were last seen.
        doubts: Why something is not known.
    """

    sessions: SessionRow
    remember_me: int | None = None
    remember_me_recent: int | None = None
    foreign_requests: int | None = None
    clients: Mapping[str, int] | None = None
    homes: HomesRow | None = None
    doubts: tuple[str, ...] = ()


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
        instances: Those expected, and all others that ever reported.
        began: When the drain began; None before.
        curve: How many sessions held a user, since the drain began; only counts without a doubt.
        health: How well it goes; empty where nobody looked.
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
    populations: Populations | None = None
    instances: tuple[InstanceRow, ...] = ()
    began: datetime | None = None
    curve: tuple[tuple[datetime, int], ...] = ()
    health: tuple[HealthRow, ...] = ()
