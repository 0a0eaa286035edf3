"""Reads who reports from `migrator_instance`, and says which expected instance does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from migrator.config.postgres import lacks_table, reading
from migrator.core.durations import format_duration
from migrator.core.errors import MigratorError
from migrator.core.queries import load
from migrator.metrics.interface import Doubt, FleetLook, Grade, Heartbeat, ShimLook
from migrator.metrics.process_rows import now_of, read_processes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime, timedelta
    from pathlib import Path

    from migrator.config.secrets import SecretRef
    from migrator.metrics.interface import WrittenProcess

APPLICATION_NAME = "migrator drain instances"


@dataclass(frozen=True)
class Instances:
    """The heartbeats in the application's database."""

    dsn: SecretRef
    root: Path
    timeout: timedelta

    def look(self) -> FleetLook:
        """Read all heartbeats, old ones included."""
        try:
            with reading(
                self.dsn,
                self.root,
                "migrator_instance",
                application_name=APPLICATION_NAME,
                statement_timeout=self.timeout,
            ) as connection:
                at = now_of(connection)
                query = load("migrator.metrics", "instances.sql")["heartbeats"]
                with connection.cursor(row_factory=class_row(Heartbeat)) as cursor:
                    beats = tuple(cursor.execute(query.encode()).fetchall())
                # A process writes itself down before it reports: whoever reports has its row by now.
                return FleetLook(beats, processes=read_processes(connection), at=at)
        except MigratorError as error:
            if lacks_table(error):
                reason = "there is no table migrator_instance yet: migrator import run makes it"
                return FleetLook(doubts=(Doubt(Grade.UNPROVEN, reason),))
            return FleetLook(doubts=(Doubt(Grade.ERROR, error.message),))


def alive(fleet: FleetLook, *, within: timedelta) -> tuple[Heartbeat, ...]:
    """Give the instances heard of recently that have not ended; one whose clock is far ahead proves nothing."""
    ended = _ended(fleet)
    return tuple(
        beat
        for beat in fleet.heartbeats
        if -within <= beat.age <= within and beat.instance not in ended
    )


def _ended(fleet: FleetLook) -> frozenset[str]:
    """Name the instances whose newest process said that it ends, and who were not heard of since."""
    newest = {row.instance: row for row in sorted(fleet.processes or (), key=_beginning)}
    return frozenset(
        beat.instance
        for beat in fleet.heartbeats
        if (row := newest.get(beat.instance)) is not None
        and row.final is not None
        and _is_before(beat.seen_at, row.ended_at)
    )


def _beginning(row: WrittenProcess) -> datetime:
    return row.began_at


def _is_before(seen_at: datetime | None, ended_at: datetime | None) -> bool:
    return seen_at is not None and ended_at is not None and seen_at <= ended_at


def coverage_doubts(
    fleet: FleetLook,
    *,
    scraped: Collection[str],
    expected: int | tuple[str, ...],
    within: timedelta,
) -> tuple[Doubt, ...]:
    """Say who is missing: every expected instance must be alive, and every living one scraped.

    Args:
        fleet: The heartbeats.
        scraped: Names of the instances whose counters were read in this look.
        expected: Their names, or how many there are at least.
        within: After what silence one counts as gone.
    """
    living = {beat.instance for beat in alive(fleet, within=within)}
    reasons = [*_missing(fleet, living, expected)] if not fleet.doubts else []
    reasons += [
        f"{name} is alive but its counters were not read: is it in [drain]?"
        for name in sorted(living - set(scraped))
    ]
    return fleet.doubts + tuple(Doubt(Grade.UNPROVEN, reason) for reason in reasons)


def answered_twice(shims: Iterable[ShimLook]) -> tuple[Doubt, ...]:
    """Say which instance was found at several addresses."""
    names = Counter(shim.process.instance for shim in shims if shim.process is not None)
    return tuple(
        Doubt(Grade.AMBIGUOUS, f"{count} addresses answer as {name}: a load balancer?")
        for name, count in names.items()
        if count > 1
    )


def _missing(fleet: FleetLook, living: set[str], expected: int | tuple[str, ...]) -> list[str]:
    if isinstance(expected, int):
        if len(living) >= expected:
            return []
        return [f"{len(living)} of {expected} expected instances are alive"]
    ages = {beat.instance: beat.age for beat in fleet.heartbeats}
    return [_silence(name, ages.get(name)) for name in expected if name not in living]


def _silence(name: str, age: timedelta | None) -> str:
    if age is None:
        return f"{name} never reported"
    if age.total_seconds() < 0:
        return f"{name} reports from the future: its clock is {format_duration(-age)} ahead"
    return f"{name} was last heard of {format_duration(age)} ago"
