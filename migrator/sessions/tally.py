"""Counts sessions, and the doubts about them, into one look."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from psycopg import errors

from migrator.core.durations import format_duration
from migrator.core.errors import MigratorError
from migrator.metrics.interface import Doubt, Grade, SessionsLook
from migrator.metrics.session_data import Holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.metrics.interface import StoreMark
    from migrator.sessions.interface import Place

_HOUR = timedelta(hours=1)


@dataclass
class Tally:
    """What was counted so far.

    Attributes:
        used: When sessions with a user were last used, by the hour.
        ends: When they end by themselves, by the hour, rounded up.
        endless: Those among them that never end by themselves.
        unseen: Sessions that nobody has looked into.
        store: Which store is counted.
        written_at: When one was written last, whoever holds it.
    """

    counted: Counter[Holds] = field(default_factory=Counter)
    used: Counter[datetime] = field(default_factory=Counter)
    ends: Counter[datetime] = field(default_factory=Counter)
    endless: int = 0
    unseen: int = 0
    estimate: int | None = None
    store: StoreMark | None = None
    written_at: datetime | None = None
    doubts: list[Doubt] = field(default_factory=list)

    def add(
        self,
        holds: Holds,
        *,
        used: datetime | None = None,
        ends: datetime | None = None,
        count: int = 1,
    ) -> None:
        """Count sessions of one kind; a negative number takes them back."""
        self.counted[holds] += count
        if holds is not Holds.USER:
            return
        if used is not None:
            self.used[hour(used)] += count
        if ends is not None:
            self.ends[hour(ends) + _HOUR] += count

    def written(self, at: datetime | None) -> None:
        """Note that a session was written, whoever holds it."""
        if at is not None and (self.written_at is None or aware(at) > self.written_at):
            self.written_at = aware(at)

    def doubt(self, grade: Grade, reason: str) -> None:
        """Say why the count may not be relied on."""
        self.doubts.append(Doubt(grade, reason))

    def too_slow(self, what: str, place: Place) -> None:
        """Say that time ran out."""
        limit = format_duration(place.whole)
        read = self.counted.total()
        self.doubt(Grade.UNPROVEN, f"{what}: {read:,} read in {limit}, not all: an estimate")

    @contextmanager
    def doubting(self, what: str, place: Place) -> Iterator[None]:
        """Turn what fails in the block into a doubt; what was counted before stays counted."""
        try:
            yield
        except MigratorError as error:
            if isinstance(error.__cause__, errors.QueryCanceled):
                self.too_slow(what, place)
            else:
                self.doubt(Grade.ERROR, error.message)

    def look(self) -> SessionsLook:
        """Give the look."""
        doubts, unknown = list(self.doubts), self.counted[Holds.UNKNOWN]
        if unknown:
            reason = f"{unknown:,} rows cannot be decoded and may hold a user"
            doubts.append(Doubt(Grade.AMBIGUOUS, reason))
        return SessionsLook(
            holding=self.counted[Holds.USER],
            others=self.counted[Holds.OTHER_USER],
            anonymous=self.counted[Holds.NOBODY],
            undecodable=unknown,
            unseen=self.unseen,
            endless=self.endless,
            used=_histogram(self.used),
            ends=_histogram(self.ends),
            total_estimate=self.estimate,
            store=self.store,
            written_at=self.written_at,
            doubts=tuple(doubts),
        )


def aware(at: datetime) -> datetime:
    """Give a time with its zone; what says none is UTC, as frameworks write it."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def hour(at: datetime) -> datetime:
    """Give the hour."""
    return aware(at).astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _histogram(counted: Counter[datetime]) -> tuple[tuple[datetime, int], ...]:
    return tuple(sorted((at, count) for at, count in counted.items() if count))
