"""Takes the census of the session store: Rails' table row by row, any other as a whole."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.core.errors import DependencyError, RefusedError, UsageError
from migrator.legacy.session_census import open_census
from migrator.legacy.session_rows import BEFORE_ALL
from migrator.metrics.interface import Grade
from migrator.metrics.session_data import warden_scope
from migrator.runner.gating.stores import place_of
from migrator.sessions.activerecord import ActiveRecordStore
from migrator.sessions.census import Census, Pace, reached_so_far
from migrator.sessions.kept import keep
from migrator.sessions.registry import store_of
from migrator.sessions.scan_memory import ScanMemory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from migrator.runner.context import Context
    from migrator.sessions.census import Reached

LOCK = "census"
UNCOUNTED = frozenset({"cookie", "none"})
PATIENCE = timedelta(hours=1)
SCANNED = Path(".migrator/census.scan")


@dataclass(frozen=True)
class CensusReport:
    """What a run of the census did.

    Attributes:
        read: Rows that were decoded in this run.
        rows_per_s: The same by the time it took; None for a run too short to say.
        whole: Whether every row was read once.
        since: What was written to before then is known; None where the census has not begun.
        fault: Why the run ended early, empty when it did not.
        note: Whether it went on with an earlier count, or why not.
    """

    read: int
    rows_per_s: float | None
    whole: bool
    since: datetime | None
    fault: str = ""
    note: str = ""


@dataclass(frozen=True)
class CensusStanding:
    """How far the census is; nothing is written to tell.

    Attributes:
        read: Rows that were read so far, the first time.
        estimate: The database's own idea of how many there are, None without one.
        unseen: Rows that the next run would read.
    """

    table: str
    read: int
    estimate: int | None
    unseen: int


def take_census(ctx: Context, *, keep_on: bool = False) -> CensusReport:
    """Read what the census does not know yet, and write it down.

    Killed at any point, the same again goes on.

    Args:
        ctx: The surroundings.
        keep_on: Report what goes wrong with a database instead of failing: the next run tries again.

    Raises:
        RefusedError: Sessions of this store cannot be counted.
        UsageError: There is no such table, or it lacks a column.
        ConflictError: Another census runs.
        DependencyError: The database failed; what was written stays.
    """
    began, done, fault = ctx.clock.now(), _Counter(), ""
    with ctx.state.locks.held(LOCK):
        try:
            if _is_row_by_row(ctx):
                _run(ctx, done)
            else:
                return _count(ctx)
        except (DependencyError, UsageError) as error:
            # What never worked is a mistake of the configuration.
            if not keep_on or (isinstance(error, UsageError) and _reached(ctx) is None):
                raise
            fault = error.message
    reached, spent_s = _reached(ctx), (ctx.clock.now() - began).total_seconds()
    return CensusReport(
        read=done.rows,
        rows_per_s=done.rows / spent_s if spent_s > 0 else None,
        whole=reached is not None and reached.whole and not fault,
        since=reached.since if reached else None,
        fault=fault,
    )


def census_standing(ctx: Context) -> CensusStanding:
    """Say how far the census is.

    Raises:
        RefusedError: The census of this store is no matter of rows.
        UsageError: There is no such table, or it lacks a column.
        DependencyError: The database failed.
    """
    if not _is_row_by_row(ctx):
        raise RefusedError(
            "this store is counted as a whole, each time anew", hint="migrator drain census"
        )
    reached, table = _reached(ctx), ctx.config.legacy.sessions_table
    with ActiveRecordStore(place_of(ctx)).open() as rows:
        if reached is None:
            return CensusStanding(table, 0, rows.estimate(), rows.count_beyond(BEFORE_ALL))
        unseen = rows.count_beyond(reached.after) + rows.count_changed(reached.since)
        return CensusStanding(table, reached.read, rows.estimate(), unseen)


@dataclass
class _Counter:
    rows: int = 0

    def advance(self, steps: int) -> None:
        self.rows += steps


def _run(ctx: Context, done: _Counter) -> None:
    legacy = ctx.config.legacy
    with _opened(ctx) as (census, estimate):
        reached = census.begin(legacy.sessions_table, legacy.model)
        if not reached.whole:
            title = "census of the sessions"
            with ctx.progress.task(title, total=estimate, done=reached.read) as task:

                def advance(steps: int) -> None:
                    done.advance(steps)
                    task.advance(steps)

                reached = census.walk(reached, advance=advance)
        census.sweep(census.catch_up(reached, advance=done.advance))


@contextmanager
def _opened(ctx: Context) -> Iterator[tuple[Census, int | None]]:
    legacy, drain, sync, place = (
        ctx.config.legacy,
        ctx.config.drain,
        ctx.config.sync,
        place_of(ctx),
    )
    writing = open_census(
        place.dsn(),
        users=legacy.users_table,
        sessions=legacy.sessions_table,
        limit_s=place.limit_s,
        read_only=False,
    )
    pace = Pace(
        scope=warden_scope(legacy.model),
        rows_per_s=drain.census_rows_per_s,
        sweep_every=drain.census_sweep_every,
        clock_margin=sync.clock_margin,
        unseen_for=sync.unseen_for,
    )
    with writing as table, ActiveRecordStore(place).open() as rows:
        checkpoints = ctx.state.checkpoints
        yield (
            Census(rows, table, pace=pace, checkpoints=checkpoints, clock=ctx.clock),
            rows.estimate(),
        )


def _is_row_by_row(ctx: Context) -> bool:
    return ctx.config.legacy.session_store == "activerecord"


def _count(ctx: Context) -> CensusReport:
    """Count a store as a whole and keep that; what failed or took too long is not kept."""
    legacy, began = ctx.config.legacy, ctx.clock.now()
    if legacy.session_store in UNCOUNTED:
        raise RefusedError(
            f'sessions of the store "{legacy.session_store}" cannot be counted',
            hint="only the deadline ends them: migrator dual-path stage show",
        )
    checkpoints, drain = ctx.state.checkpoints, ctx.config.drain
    memory = ScanMemory(checkpoints, ctx.path(SCANNED), drain.census_good_for, ctx.clock)
    found = store_of(replace(place_of(ctx), patience=PATIENCE), memory=memory).look()
    faults = [doubt.reason for doubt in found.doubts if doubt.grade is not Grade.AMBIGUOUS]
    if faults:
        raise DependencyError(faults[0], hint="the same command counts again")
    counted_at = found.counted_at or began
    keep(checkpoints, legacy, replace(found, counted_at=counted_at))
    memory.forget()
    spent_s = (ctx.clock.now() - began).total_seconds()
    rate = found.seen / spent_s if spent_s > 0 else None
    return CensusReport(found.seen, rate, whole=True, since=counted_at, note=found.note)


def _reached(ctx: Context) -> Reached | None:
    legacy = ctx.config.legacy
    return reached_so_far(ctx.state.checkpoints, legacy.sessions_table, legacy.model)
