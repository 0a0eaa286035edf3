"""All users of the application in batches, read by as many processes as the machine is good for."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from migrator.runner.importing.batch import Batch
from migrator.runner.importing.collector import memory_left_alone
from migrator.runner.importing.imports import SUBJECT
from migrator.runner.importing.prefetch import prefetched
from migrator.runner.importing.readers import reading_process
from migrator.runner.importing.reading import Job, read_pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from migrator.auther.mapping.rules import Rules
    from migrator.legacy.devise import DeviseSource
    from migrator.legacy.interface import TableShape
    from migrator.runner.context import Context
    from migrator.runner.importing.importer import Importer
    from migrator.runner.importing.reading import Ready
    from migrator.state.locks import Lease

# For fewer, a second connection and the hand-over are not worth it.
WORTH_A_PROCESS_USERS = 20_000
# A lease lasts a minute, and how far it came is for people: with each page, both took 4 % of an import of 100,000.
_LOOK_EVERY_S = 1.0


def plan_pages(ctx: Context, source: DeviseSource, rules: Rules, importer: Importer) -> None:
    """Count what would become of everybody.

    Raises:
        DependencyError: A database cannot be read, or the process that reads was killed.
    """
    total, rows = source.estimated_users(), ctx.config.import_.page_rows
    with (
        memory_left_alone(),
        batches(ctx, source, rules, rows=rows, users=total) as pages,
        ctx.progress.task("Planning the import", total=total) as task,
    ):
        for page in pages:
            importer.plan(page)
            task.advance(len(page))


def write_pages(
    ctx: Context,
    source: DeviseSource,
    rules: Rules,
    importer: Importer,
    lease: Lease,
    *,
    rows: int,
) -> None:
    """Bring everybody over; the next page is read and mapped while one is written.

    Raises:
        ConflictError: Another runner took the import over.
        DependencyError: A database failed, or the process that reads was killed.
    """
    total, looked_at = source.estimated_users(), float("-inf")
    beside = None if importer.looks_first() else source.columns.table
    with (
        memory_left_alone(),
        batches(ctx, source, rules, rows=rows, users=total, claimed_beside=beside) as pages,
        ctx.progress.task("Importing users", total=total) as task,
    ):
        for page in pages:
            is_due = time.monotonic() - looked_at >= _LOOK_EVERY_S
            if is_due:
                ctx.state.locks.check(lease)
                looked_at = time.monotonic()
            importer.write(page)
            if is_due:
                position = {"read": importer.counts.tally.read, "of_about": total}
                ctx.state.checkpoints.put(SUBJECT, "position", position)
            task.advance(len(page))


@contextmanager
def batches(
    ctx: Context,
    source: DeviseSource,
    rules: Rules,
    *,
    rows: int,
    users: int,
    claimed_beside: TableShape | None = None,
) -> Iterator[Iterator[Batch]]:
    """Read everybody a page ahead, in a thread or in a process of its own, which ends with the block.

    Args:
        ctx: The surroundings.
        source: Reads what a page leaves unmapped.
        rules: How users are mapped.
        rows: Users a page.
        users: About how many there are.
        claimed_beside: The users' table, when those who are mapped may be written down as ours.

    Raises:
        DependencyError: The application's database failed, or the process that reads was killed.
    """
    dsn = ctx.reveal(ctx.config.legacy.dsn)
    job = Job.of(dsn, source.queries, rules, rows=rows, claimed_beside=claimed_beside)
    sample = job.mapper.sample if job.mapper else None
    with ExitStack() as reading:
        with ctx.state.locks.at_rest():
            pages = reading.enter_context(_read(job, processes=_processes(ctx, users)))
        yield (Batch.made_of(page, source, sample) for page in pages)


def _read(job: Job, *, processes: int) -> AbstractContextManager[Iterator[Ready]]:
    return reading_process(job) if processes > 1 else _reading_thread(job)


@contextmanager
def _reading_thread(job: Job) -> Iterator[Iterator[Ready]]:
    with closing(read_pages(job)) as pages, prefetched(pages) as ready:
        yield ready


def _processes(ctx: Context, users: int) -> int:
    wanted = ctx.config.import_.processes
    if wanted != "auto":
        return wanted
    return 2 if users >= WORTH_A_PROCESS_USERS and len(os.sched_getaffinity(0)) > 1 else 1
