"""What a source of measurements gives: values, and every doubt about them.

A source never raises for what it measures and never guesses: when it cannot be asked, or its answer
is not exactly one number, it says so in a `Doubt`, and a doubted value counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from migrator.metrics.clients import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

T_co = TypeVar("T_co", covariant=True)


class Grade(StrEnum):
    """The class of a measurement. Only OK counts."""

    OK = "OK"
    BREACH = "BREACH"
    NO_DATA = "NO_DATA"
    STALE = "STALE"
    AMBIGUOUS = "AMBIGUOUS"
    ERROR = "ERROR"
    UNPROVEN = "UNPROVEN"


class Doubt(NamedTuple):
    """Why a value may not be relied on; `grade` is neither OK nor BREACH."""

    grade: Grade
    reason: str


class Source(Protocol[T_co]):
    """One place where something is measured."""

    def look(self) -> T_co:
        """Measure once; what could not be measured is a doubt in the answer."""
        ...


class Labels(NamedTuple):
    """The labels of `auth_requests_total`, all of them closed lists.

    Attributes:
        client: One of `migrator.metrics.clients.CLIENTS`, `unknown` where an older shim does not tell.
    """

    path: str
    outcome: str
    stage: str
    reason: str
    synthetic: bool
    client: str = UNKNOWN


class Series(NamedTuple):
    """A counter beside the requests."""

    name: str
    labels: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Process:
    """The counters of one running instance.

    Attributes:
        instance: Its name, as in `migrator_instance`.
        started_at_s: When the process began, seconds since 1970; moves when counters begin anew.
        requests: Requests since then, by labels.
        events: Everything else that is counted since then, by name and labels, as far as the source gives it.
        tells_logins: Whether sign-ins, refusals and fetches are among them; log lines are about requests only.
        holes: How often since then something was not counted that should have been.
        hole: The newest of them, in words.
    """

    instance: str
    build: str
    stage: str
    epoch: int
    stage_source: str
    started_at_s: float
    requests: Mapping[Labels, float]
    events: Mapping[Series, float] = field(default_factory=dict)
    holes: int = 0
    hole: str = ""
    tells_logins: bool = True


@dataclass(frozen=True)
class ShimLook:
    """One address that was scraped.

    Attributes:
        process: What answered; None when nothing usable did.
        control_counted: The marker sent in this look was counted by this very process.
        control_note: What became of the marker, in words.
    """

    address: str
    process: Process | None = None
    control_counted: bool = False
    control_note: str = ""
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class ShimsLook:
    """All addresses.

    Attributes:
        by_process: Whether each process was counted for itself; log lines go on from one to the next.
    """

    shims: tuple[ShimLook, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    by_process: bool = True

    @property
    def processes(self) -> tuple[Process, ...]:
        """Give the processes that answered."""
        return tuple(shim.process for shim in self.shims if shim.process is not None)

    @property
    def all_doubts(self) -> tuple[Doubt, ...]:
        """Give the doubts about all addresses."""
        return self.doubts + tuple(doubt for shim in self.shims for doubt in shim.doubts)


@dataclass(frozen=True)
class Heartbeat:
    """A row of `migrator_instance`.

    Attributes:
        age: Time since it was written, by the database's clock; negative when the writer's is ahead.
        baked: The stage that the build falls back to.
        source: Where it has its stage from: `live`, `cached` or `baked`.
        seen_at: When it was written, by the clock of whoever wrote it.
    """

    instance: str
    build: str
    stage: str
    epoch: int
    legacy_capable: bool
    age: timedelta
    baked: str = "dual"
    source: str = "live"
    seen_at: datetime | None = None


@dataclass(frozen=True)
class WrittenProcess:
    """A row of `migrator_process`: one process, written down by itself before it accepted anything.

    Attributes:
        started_at_s: When it began by its own clock, as its metrics have it; all other times are the database's.
        seen_at: When it said last that it runs.
        heard_at: When its name had been heard of last before it began.
        ended_at: When it ended by itself; None while it runs, and for ever after it was killed.
        final: What it had counted by then.
    """

    instance: str
    started_at_s: float
    began_at: datetime
    seen_at: datetime
    heard_at: datetime | None = None
    ended_at: datetime | None = None
    final: Process | None = None

    @property
    def is_whole(self) -> bool:
        """Whether its last counts are known."""
        return self.ended_at is not None and self.final is not None


@dataclass(frozen=True)
class FleetLook:
    """Who reports.

    Attributes:
        processes: Those that wrote themselves down; None where that cannot be known.
        at: When reading began, by the database's clock.
    """

    heartbeats: tuple[Heartbeat, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    processes: tuple[WrittenProcess, ...] | None = None
    at: datetime | None = None


class StoreMark(NamedTuple):
    """Which store answered.

    Attributes:
        place: Its server and database; the same after a restart.
        made: Of the table, or the running server: another one when that was made anew.
    """

    place: str
    made: str


@dataclass(frozen=True)
class SessionsLook:
    """Rows of a session store by what they hold.

    Attributes:
        holding: Rows that hold a user of the migrated model.
        others: Rows that hold a user of another model only.
        anonymous: Rows without any user: CSRF tokens, carts, visitors.
        undecodable: Rows whose content could not be read; they may hold a user.
        unseen: Rows that nobody has looked into yet; they may hold a user.
        endless: Those that hold a user and never end by themselves, where the store tells of each.
        used: When those that hold a user were last written to, by the hour; a histogram.
        ends: When those that hold a user end by themselves, by the hour, rounded up.
        total_estimate: The planner's idea of the number of rows; None when unknown.
        counted_at: When a count that was kept was taken; None for one that was taken now.
        store: Which store it was, None where nothing answered.
        written_at: When a session was written last, whoever holds it; None where that is not known.
        user_seen_at: When a session with a user was last found in this store, None before the first.
        note: What else a person should know of the count.
        unproven: Why few sessions of it prove nothing, whatever was counted.
    """

    holding: int = 0
    others: int = 0
    anonymous: int = 0
    undecodable: int = 0
    unseen: int = 0
    endless: int = 0
    used: tuple[tuple[datetime, int], ...] = ()
    ends: tuple[tuple[datetime, int], ...] = ()
    total_estimate: int | None = None
    counted_at: datetime | None = None
    store: StoreMark | None = None
    written_at: datetime | None = None
    user_seen_at: datetime | None = None
    note: str = ""
    unproven: tuple[Doubt, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def seen(self) -> int:
        """Give the number of rows that were looked at."""
        return self.holding + self.others + self.anonymous + self.undecodable


@dataclass(frozen=True)
class RememberedLook:
    """Users whose remember-me token could still make a session.

    Attributes:
        users: All of whom a token may be out there, None when that is not known.
        recent: Those among them who were remembered first within `remember_for`.
    """

    users: int | None = None
    recent: int | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Window:
    """What was counted in a span of time.

    Attributes:
        counts: By the names of `migrator.metrics.health_counts`.
        covered: How much of the span somebody saw every instance, 0 to 1.
        told: In how much of it sign-ins, refusals and fetches were told of, 0 to 1.
    """

    begins: datetime
    ends: datetime
    counts: Mapping[str, float]
    covered: float
    told: float = 1.0


@dataclass(frozen=True)
class HealthLook:
    """What was counted lately, and at the same time in the weeks before.

    Attributes:
        recent: The last minutes.
        hours: The last hour, then the same hour of each week before, the newest first.
        days: The last 24 hours likewise.
    """

    recent: Window
    hours: tuple[Window, ...]
    days: tuple[Window, ...]


@dataclass(frozen=True)
class FactLook:
    """One number that does not come from traffic: of the ledger, the state or a table of ours.

    Attributes:
        at: Of when it is; None where it has no time.
    """

    value: float | None = None
    at: datetime | None = None
    doubts: tuple[Doubt, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


def no_fact(grade: Grade, reason: str) -> FactLook:
    """Say why there is no number."""
    return FactLook(doubts=(Doubt(grade, reason),))


@dataclass(frozen=True)
class Reading:
    """One measurement of a look.

    Attributes:
        value: The value, or what is known of it at least while there are doubts; None if nothing is.
        lost: What was counted and cannot be read any more, in words: the value is one of "at least".
        window: The time that a count of events covers; None for a state.
        evidence: Facts for the record, JSON values only; `base` in it is where the next look counts from.
    """

    value: float | None
    doubts: tuple[Doubt, ...] = ()
    lost: tuple[str, ...] = ()
    window: timedelta | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
