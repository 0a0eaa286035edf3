"""The logs of running instances, followed; counts and places are kept in a real state."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import SystemClock
from migrator.metrics.control import DelayedControl
from migrator.metrics.interface import Grade, Labels
from migrator.metrics.shim_counters import ShimCounters
from migrator.metrics.shim_logs import ShimLogs
from migrator.state.store import open_state
from tests.parts.shim_process import CONTROL_SECRET, METRICS_TOKEN, ShimProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.metrics.interface import Process, ShimsLook

LEGACY = Labels("legacy", "accepted", "drain", "", synthetic=False)
LINE = '{"event":"auth","path":"legacy","outcome":"accepted","stage":"drain","reason":""}\n'


@pytest.fixture
def web_1(tmp_path: Path) -> Iterator[ShimProcess]:
    """An instance that writes a log."""
    shim = ShimProcess("web-1", log_path=tmp_path / "web-1.log").start()
    yield shim
    shim.kill()


def follow(folder: Path, *shims: ShimProcess, within_s: float = 5) -> ShimLogs:
    clock = SystemClock()
    control = DelayedControl(
        addresses=tuple(shim.address for shim in shims),
        secret=CONTROL_SECRET,
        timeout=timedelta(seconds=5),
        within=timedelta(seconds=within_s),
        every=timedelta(seconds=0.05),
        clock=clock,
    )
    state = open_state("sqlite:state.db", root=folder, clock=clock)
    return ShimLogs(
        logs={"web-1": str(folder / "web-1.log")},
        checkpoints=state.checkpoints,
        timeout=timedelta(seconds=30),
        control=control,
        clock=clock,
    )


def only(found: ShimsLook) -> Process:
    (process,) = found.processes
    return process


def test_lines_that_say_how_long_a_request_waited_make_the_same_histogram_as_the_shim(
    web_1: ShimProcess, tmp_path: Path
) -> None:
    asked = follow(tmp_path, web_1)
    asked.look()
    log = tmp_path / "web-1.log"
    lines = [LINE.replace("}", f',"waited_us":{us}}}') for us in (0, 1000, 1001, 2_000_000)]
    log.write_text(log.read_text() + "".join(lines))
    asked.look()
    found = only(asked.look())
    buckets = {dict(series.labels)["le"]: n for series, n in found.events.items()}
    assert (buckets["0.001"], buckets["0.003"], buckets["1"], buckets["+Inf"]) == (2, 3, 3, 4)
    assert not found.tells_logins


def test_lines_are_counted_as_the_shim_counts_and_the_marker_is_one_of_them(
    web_1: ShimProcess, tmp_path: Path
) -> None:
    (tmp_path / "web-1.log").write_text("from before\n" + LINE)
    asked = follow(tmp_path, web_1)
    first = asked.look()
    assert first.all_doubts == ()
    assert [shim.control_counted for shim in first.shims] == [True]
    web_1.count("legacy", n=3)
    web_1.count("both", "refused", reason="conflict")
    found = only(asked.look())
    scraped = only(
        ShimCounters(
            addresses=(web_1.address,),
            metrics_token=METRICS_TOKEN,
            control_secret="",
            timeout=timedelta(seconds=5),
            fresh_for=timedelta(seconds=30),
            clock=SystemClock(),
        ).look()
    )
    assert found.requests == scraped.requests
    assert (found.instance, found.stage, found.holes) == ("web-1", "drain", 0)


def test_an_instance_whose_lines_do_not_arrive_is_not_proven(
    web_1: ShimProcess, tmp_path: Path
) -> None:
    (tmp_path / "web-1.log").touch()
    web_1.fault("mute")
    (shim,) = follow(tmp_path, web_1, within_s=0.2).look().shims
    assert not shim.control_counted
    assert shim.control_note == "the shims took it, but it did not arrive in time"


def test_a_log_that_is_not_there_is_no_data_and_counted_in_full_later(tmp_path: Path) -> None:
    asked = follow(tmp_path)
    assert [doubt.grade for doubt in asked.look().all_doubts] == [Grade.NO_DATA]
    (tmp_path / "web-1.log").write_text(LINE)
    found = asked.look()
    assert (only(found).requests[LEGACY], found.all_doubts) == (1, ())


def test_a_log_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "web-1.log").touch()
    asked = follow(tmp_path)
    asked.look()
    (tmp_path / "web-1.log").unlink()
    (tmp_path / "web-1.log").symlink_to("/proc/self/mem")
    (doubt,) = asked.look().all_doubts
    assert doubt.grade is Grade.ERROR
    assert doubt.reason.startswith(f"{tmp_path}/web-1.log cannot be read (")


def test_lines_that_cannot_be_read_are_holes_and_other_kinds_are_bounded(tmp_path: Path) -> None:
    log = tmp_path / "web-1.log"
    log.touch()
    asked = follow(tmp_path)
    asked.look()
    log.write_text(LINE + LINE[:30] + LINE + "GET / 200\n")
    found = only(asked.look())
    assert (found.requests[LEGACY], found.holes, found.hole) == (
        1,
        1,
        "a line that cannot be read",
    )
    with log.open("a") as file:
        file.writelines(LINE.replace('"reason":""', f'"reason":"r{n}"') for n in range(1100))
    found = only(asked.look())
    assert (len(found.requests), found.holes) == (1000, 102)
    assert found.hole == "more kinds of lines than a shim writes"


def test_another_pattern_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "web-1.log"
    log.touch()
    asked = follow(tmp_path)
    before = only(asked.look())
    log.write_text(LINE)
    moved = ShimLogs(**{**vars(asked), "logs": {"web-1": f"{tmp_path}/web-*.log"}})
    found = only(moved.look())
    assert found.started_at_s > before.started_at_s
    assert found.requests == {}


def test_two_commands_that_read_at_once_count_every_line_once(tmp_path: Path) -> None:
    log = tmp_path / "web-1.log"
    log.touch()
    readers = [follow(tmp_path), follow(tmp_path)]
    only(readers[0].look())
    with ThreadPoolExecutor(2) as pool:
        looking = [pool.submit(_look_often, reader) for reader in readers]
        with log.open("a", buffering=1) as file:
            for _ in range(200):
                file.write(LINE)
        for one in looking:
            one.result()
    assert only(readers[0].look()).requests[LEGACY] == 200


def _look_often(reader: ShimLogs) -> None:
    for _ in range(10):
        reader.look()


def test_a_killed_reading_loses_and_doubles_nothing(tmp_path: Path) -> None:
    log = tmp_path / "web-1.log"
    log.touch()
    only(follow(tmp_path).look())
    fork = multiprocessing.get_context("fork")
    written = 0
    for milliseconds in (15, 40, 70):
        reader = fork.Process(target=_look_for_ever, args=(tmp_path,))
        reader.start()
        ends = time.monotonic() + milliseconds / 1000
        with log.open("a", buffering=1) as file:
            while time.monotonic() < ends:
                file.write(LINE)
                written += 1
        reader.kill()
        reader.join()
        log.rename(log.with_name(f"web-1.log.{milliseconds}"))
        log.touch()
        only(follow(tmp_path).look())
    found = only(follow(tmp_path).look())
    assert (found.requests[LEGACY], found.holes) == (written, 0)


def _look_for_ever(folder: Path) -> None:
    reader = follow(folder)
    while True:
        reader.look()
