"""What preflight found on both sides, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from migrator.application.interface import ApplicationFindings
    from migrator.auther.live.probe import Probe
    from migrator.auther.ways.inspect import Contents, FileFacts
    from migrator.legacy.canaries import CanaryResult
    from migrator.legacy.findings import Census, Example, LegacySurvey

# Users a second that an import writes into a SQLite file of 100,000 users on 2 cores; not measured here.
ASSUMED_WRITE_RATE = 10_000
BYTES_PER_USER = 1_500


@dataclass(frozen=True)
class Forecast:
    """What the import would do, by its own rules, with the users as they are now.

    Attributes:
        imported: Users it would write.
        already_there: Users whom an earlier run wrote.
        rejected: By reason (`RejectReason`).
        pinned: Of the imported ones, by reason (`PinReason`).
        notes: What imported users do not bring along (`Note`).
        taken: The first few whose address another Auther user has.
    """

    imported: int
    already_there: int
    rejected: Mapping[str, int]
    pinned: Mapping[str, int]
    notes: Mapping[str, int]
    taken: tuple[Example, ...]


@dataclass(frozen=True)
class AutherFindings:
    """The Auther side.

    Attributes:
        file: None where users do not get in through a database file.
        schema: What is there: `absent` when tables will be created, else the recognised
            version, empty when it is refused.
        refusal: Why it is refused, empty when it is not.
        probe: None when auther.base_url is not set.
        name: What messages call it.
        fault: Why it could not be reached over the network, empty when it could.
    """

    file: FileFacts | None
    schema: str
    refusal: str
    contents: Contents | None
    probe: Probe | None
    name: str = "auther.db"
    fault: str = ""


@dataclass(frozen=True)
class Findings:
    """Everything that the verdict is made from.

    Attributes:
        remembered_until: When the last remember-me token ends; None without one, or when they
            never end.
        forecast: None where `verified_when` asks for a column that is not there.
        application: None where nobody said where its code is.
    """

    legacy: LegacySurvey
    has_primary_key: bool
    remembered_until: datetime | None
    census: Census
    forecast: Forecast | None
    canaries: tuple[CanaryResult, ...]
    auther: AutherFindings
    application: ApplicationFindings | None = None

    @property
    def foreign_users(self) -> int:
        """Users at Auther whom this migration did not bring."""
        ours = self.forecast.already_there if self.forecast else 0
        return self.auther.contents.users - ours if self.auther.contents else 0

    @property
    def read_rate(self) -> float | None:
        """Users read a second, None when it took no time that could be measured."""
        return self.census.read / self.census.seconds if self.census.seconds > 0 else None

    @property
    def import_estimate_s(self) -> float:
        """Seconds the import may take: reading as measured here, writing at an assumed rate."""
        return self.census.seconds + self.census.read / ASSUMED_WRITE_RATE
