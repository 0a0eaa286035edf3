"""The process that reads: its pages are those of one process, and its end is noticed either way."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrator.auther.ways.sqlite import open_sqlite
from migrator.core.errors import DependencyError
from migrator.core.users import RejectReason
from migrator.runner.importing.batch import Batch
from migrator.runner.importing.importer import Importer, Sides
from migrator.runner.importing.imports import make_rules, open_ends
from migrator.runner.importing.readers import reading_process
from migrator.runner.importing.reading import Job, read_pages
from migrator.runner.importing.rejects import Rejects
from tests.phases.importing import Site, make_site

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch, identities="public.identities")


@pytest.fixture
def job(site: Site, devise_db: str) -> Job:
    with open_ends(site.ctx, writing=False) as ends:
        rules = make_rules(site.ctx, ends.source)
        return Job.of(devise_db, ends.source.queries, rules, rows=50)


def readers() -> list[int]:
    """Our children that read."""
    return [child.pid or 0 for child in multiprocessing.active_children()]


def test_its_pages_are_those_of_one_process(job: Job) -> None:
    with reading_process(job) as pages:
        assert list(pages) == list(read_pages(job))
    assert readers() == []


def test_it_writes_down_whom_it_mapped_and_no_more_once_somebody_else_did(
    site: Site, job: Job
) -> None:
    with open_ends(site.ctx, writing=True) as ends:
        ends.identities.create()
        claiming = replace(job, claimed_beside=ends.source.columns.table)
        with reading_process(claiming) as pages:
            claimed = [page for page in pages if page.claimed]
        written = sum(len(page.columns.ids) for page in claimed)
        assert written == ends.identities.count() > 50
        ends.identities.release([user for page in claimed for user in page.columns.ids][:-1])
        with reading_process(claiming) as pages:
            assert [page.claimed for page in pages] == [True] * (len(claimed) - 1) + [False]


def test_pages_claimed_ahead_of_an_auther_that_somebody_else_uses_are_looked_at(
    site: Site, job: Job
) -> None:
    with open_ends(site.ctx, writing=True) as ends, open_sqlite(site.auther_db) as target:
        ends.identities.create()
        site.auther(
            'INSERT INTO "user" (id, name, email, created_at, updated_at)'
            " VALUES ('x', 'x', 'member1@example.org', 1, 1)"
        )
        rules = make_rules(site.ctx, ends.source)
        sides = Sides(target, ends.identities, rules.source, untouched=True)
        importer = Importer(sides, rules, Rejects(None))
        claiming = replace(job, claimed_beside=ends.source.columns.table)
        with reading_process(claiming) as pages:
            for page in pages:
                importer.write(Batch.made_of(page, ends.source, claiming.mapper.sample))
        assert importer.looks_first()
    assert importer.counts.tally.adds_up()
    assert importer.counts.tally.rejected[RejectReason.TARGET_TAKEN] == 1
    claimed = site.sql("SELECT auther_id FROM migrator_identity WHERE origin = 'import'")
    there = site.auther("SELECT id FROM \"user\" WHERE id <> 'x'")
    assert sorted(claimed) == sorted(there)
    assert len(there) == importer.counts.tally.imported


def test_what_goes_wrong_there_comes_out_here(job: Job) -> None:
    gone = replace(job, dsn="postgresql://me:hidden-word@127.0.0.1:1/app")
    with reading_process(gone) as pages, pytest.raises(DependencyError) as caught:
        next(pages)
    assert "hidden-word" not in f"{caught.value.message}{caught.value.hint}"


def test_killed_it_is_a_dependency_that_failed(job: Job) -> None:
    with reading_process(replace(job, rows=1)) as pages:
        next(pages)
        os.kill(readers()[0], signal.SIGKILL)
        with pytest.raises(DependencyError, match="ended early"):
            list(pages)


def test_it_ends_when_nobody_takes_its_pages(job: Job) -> None:
    with reading_process(replace(job, rows=1)) as pages:
        next(pages)
        (pid,) = readers()
    assert not Path(f"/proc/{pid}").exists()


def test_it_ends_when_ours_is_killed(job: Job) -> None:
    copies = multiprocessing.get_context("fork")
    told, tells = copies.Pipe(duplex=False)
    ours = copies.Process(target=_read_and_wait, args=(replace(job, rows=1), tells))
    ours.start()
    reader = told.recv()
    assert Path(f"/proc/{reader}").exists()
    ours.kill()
    ours.join()
    ends = time.monotonic() + 20
    while _is_running(reader):
        assert time.monotonic() < ends
        time.sleep(0.02)


def _read_and_wait(job: Job, tells: Connection) -> None:
    with reading_process(job) as pages:
        next(pages)
        tells.send(readers()[0])
        signal.pause()


def _is_running(pid: int) -> bool:
    # Whoever adopts it may not have asked for its end yet.
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
