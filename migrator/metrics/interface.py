"""What a source of measurements gives: values, and every doubt about them.

A source never raises for what it measures and never guesses: when it cannot be asked, or its answer
is not exactly one number, it says so in a `Doubt`, and a doubted value counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

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
    """The labels of `auth_requests_total`, all of them closed lists."""

    path: str
    outcome: str
    stage: str
    reason: str
    synthetic: bool


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
        events: Everything else that is counted since then, by name and labels; None where the source does
            not give it.
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
    events: Mapping[Series, float] | None = None
    holes: int = 0
    hole: str = ""


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
    """All addresses."""

    shims: tuple[ShimLook, ...] = ()
    doubts: tuple[Doubt, ...] = ()

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
    """

    instance: str
    build: str
    stage: str
    epoch: int
    legacy_capable: bool
    age: timedelta
    baked: str = "dual"
    source: str = "live"


@dataclass(frozen=True)
class FleetLook:
    """Who reports."""

    heartbeats: tuple[Heartbeat, ...] = ()
    doubts: tuple[Doubt, ...] = ()


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
class ImportLook:
    """What the newest `import verify` found.

    Attributes:
        differences: None when it says nothing usable.
        at: When it was written to the ledger.
    """

    differences: int | None = None
    at: datetime | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class SyncLook:
    """How far the sync leaves Auther behind the application.

    Attributes:
        seconds: Since when changes may be missing at Auther; grows while nothing is synced.
        rows: Users known to differ.
        quarantined: Users who cannot be followed; they are not among `rows`.
        at: When the last pass ended.
    """

    seconds: float | None = None
    rows: int | None = None
    quarantined: int = 0
    at: datetime | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class WriteBackLook:
    """How far the write-back leaves the application behind Auther.

    Attributes:
        seconds: Since when changes may be missing in the application; grows while nothing is written.
        open_users: People who could not sign in as usual after a rollback.
        at: When the last pass began.
    """

    seconds: float | None = None
    open_users: int | None = None
    at: datetime | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Window:
    """What was counted in a span of time.

    Attributes:
        counts: By the names of `migrator.metrics.health_counts`.
        covered: How much of the span somebody saw every instance, 0 to 1.
    """

    begins: datetime
    ends: datetime
    counts: Mapping[str, float]
    covered: float


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
class AutherLook:
    """What the plugin at Auther counted since its process began.

    Attributes:
        process: Which process answered; several behind one address take turns.
        started_at_s: When it began, seconds since 1970.
        right: Passwords that were right, by scheme.
        wrong: Passwords that were not, by scheme.
        rehashed: Envelopes replaced by Auther's own hashes.
        rehash_failed: Envelopes kept although the password was right.
        exchanged: Legacy sessions that became one of Auther's.
        captured: Passwords that Auther lacked and was given.
    """

    process: str = ""
    started_at_s: float = 0
    right: Mapping[str, int] = field(default_factory=dict)
    wrong: Mapping[str, int] = field(default_factory=dict)
    rehashed: int = 0
    rehash_failed: int = 0
    exchanged: int = 0
    captured: int = 0
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class PasswordsLook:
    """What kinds of password hashes are stored at Auther.

    Attributes:
        users: All of Auther's.
        ours: Those of this migration.
        envelopes: Legacy hashes by scheme, not rehashed yet.
        native: Auther's own hashes.
        unknown: Hashes that Auther cannot verify.
    """

    users: int = 0
    ours: int = 0
    envelopes: Mapping[str, int] = field(default_factory=dict)
    native: int = 0
    unknown: int = 0
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class HomesLook:
    """The users in `migrator_identity`.

    Attributes:
        homes: Users by home.
        pinned: Users at home on the legacy path who cannot move.
        seen_on_legacy: Users seen on the legacy path within the time that was asked for.
        last_legacy: Users by how long ago at most they were last seen there: `1h`, `1d`, `7d`, `30d`,
            `90d`, `longer`, or `never` since the shim is there.
        last_auther: Likewise on Auther's path.
        total_estimate: The planner's idea of the number of users; None when unknown.
    """

    homes: Mapping[str, int] = field(default_factory=dict)
    pinned: int = 0
    seen_on_legacy: int = 0
    last_legacy: Mapping[str, int] = field(default_factory=dict)
    last_auther: Mapping[str, int] = field(default_factory=dict)
    total_estimate: int | None = None
    doubts: tuple[Doubt, ...] = ()


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
class Look:
    """Everything measured at one moment; None where a source was not asked."""

    at: datetime
    shims: ShimsLook | None = None
    fleet: FleetLook | None = None
    sessions: SessionsLook | None = None
    remembered: RememberedLook | None = None
    import_check: ImportLook | None = None
    sync_check: SyncLook | None = None
    write_back_check: WriteBackLook | None = None
    health: HealthLook | None = None
    auther: AutherLook | None = None
    passwords: PasswordsLook | None = None
    homes: HomesLook | None = None
    canary_check: FactLook | None = None
    shadow_check: FactLook | None = None
    capacity_check: FactLook | None = None
    pinned_users: FactLook | None = None
    rehearsal: FactLook | None = None
    refusals: FactLook | None = None
    deadline: datetime | None = None


@dataclass(frozen=True)
class Reading:
    """One measurement of a look.

    Attributes:
        value: The value, or what is known of it at least while there are doubts; None if nothing is.
        window: The time that a count of events covers; None for a state.
        evidence: Facts for the record, JSON values only; `base` in it is where the next look counts from.
    """

    value: float | None
    doubts: tuple[Doubt, ...] = ()
    window: timedelta | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
