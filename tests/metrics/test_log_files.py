"""Following logs through rotation, on real files."""

from __future__ import annotations

import gzip
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.metrics.log_files import CHUNK_BYTES, MAX_LINE_BYTES, Places, Read, read_on

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Log:
    """A log that is written, rotated and read; reading goes on from what was read before."""

    path: Path
    seen: list[bytes] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    places: Places | None = None

    def write(self, text: str) -> None:
        with self.path.open("ab") as file:
            file.write(text.encode())

    def read(self, *, is_late: Callable[[], bool] = lambda: False, pattern: str = "") -> Read:
        found = read_on(
            pattern or str(self.path), self.places, line=self.seen.append, is_late=is_late
        )
        self.places = Places.from_json(found.places.to_json())
        self.holes += found.holes
        return found

    @property
    def rotated(self) -> Path:
        return self.path.with_name(self.path.name + ".1")

    def shift(self) -> None:
        """Make room for a rotated file, as logrotate does; three are kept."""
        for number in (3, 2, 1):
            for suffix in ("", ".gz"):
                old = self.path.with_name(f"{self.path.name}.{number}{suffix}")
                if old.exists():
                    old.rename(self.path.with_name(f"{self.path.name}.{number + 1}{suffix}"))
        for old in self.path.parent.glob(f"{self.path.name}.4*"):
            old.unlink()

    def rename(self) -> None:
        self.shift()
        self.path.rename(self.rotated)
        self.path.touch()

    def copytruncate(self) -> None:
        self.shift()
        shutil.copyfile(self.path, self.rotated)
        os.truncate(self.path, 0)

    def compress(self) -> None:
        """What gzip does: the time stays, the original goes."""
        if not self.rotated.exists():
            return
        packed = self.rotated.with_name(self.rotated.name + ".gz")
        packed.write_bytes(gzip.compress(self.rotated.read_bytes()))
        written = self.rotated.stat()
        os.utime(packed, ns=(written.st_atime_ns, written.st_mtime_ns))
        self.rotated.unlink()

    def lose(self) -> None:
        """Remove all that was rotated away."""
        for old in self.path.parent.glob(f"{self.path.name}.*"):
            old.unlink()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path / "web.log")
    log.write("before\n")
    log.read()
    return log


def test_reading_begins_behind_what_is_there_and_keeps_half_lines_for_later(log: Log) -> None:
    log.write("one\ntw")
    log.read()
    assert log.seen == [b"one"]
    log.write("o\n")
    log.read()
    assert log.seen == [b"one", b"two"]
    log.read()
    assert log.seen == [b"one", b"two"]
    assert log.holes == []


@pytest.mark.parametrize("rotate", [Log.rename, Log.copytruncate])
@pytest.mark.parametrize("compressed", [False, True])
def test_what_was_not_read_before_the_rotation_is_read_after_it(
    log: Log, rotate: Callable[[Log], None], compressed: bool
) -> None:
    log.write("one\n")
    log.read()
    log.write("two\n")
    rotate(log)
    if compressed:
        log.compress()
    log.write("three\n")
    log.read()
    assert sorted(log.seen) == [b"one", b"three", b"two"]
    for _ in range(3):
        rotate(log)
        log.compress()
        log.read()
    assert (len(log.seen), log.holes) == (3, [])


def test_a_process_that_still_writes_to_the_renamed_file_is_followed_there(log: Log) -> None:
    with log.path.open("ab", buffering=0) as held:
        log.rename()
        held.write(b"old file\n")
        log.read()
        held.write(b"still\n")
        log.write("new file\n")
        log.read()
    assert sorted(log.seen) == [b"new file", b"old file", b"still"]
    assert log.holes == []


def test_what_vanished_before_it_was_read_is_a_hole(log: Log) -> None:
    log.write("unread\n")
    log.rename()
    log.rotated.unlink()
    log.write("new\n")
    log.read()
    assert log.seen == [b"new"]
    assert log.holes == ["a log file was taken away before its end was read"]
    log.read()
    assert len(log.holes) == 1


def test_a_file_that_was_emptied_is_a_hole_and_read_from_its_beginning(log: Log) -> None:
    os.truncate(log.path, 0)
    log.write("a longer line than there was before\n")
    log.read()
    assert log.seen == [b"a longer line than there was before"]
    assert log.holes == ["a log file was taken away before its end was read"]


def test_a_file_that_came_and_went_between_two_looks_is_a_hole(log: Log) -> None:
    log.rename()
    log.write("nobody saw this\n")
    log.rename()
    log.read()
    assert log.seen == []
    assert log.holes == ["web.log.1 came and went between two looks"]
    log.read()
    assert len(log.holes) == 1


def test_an_old_file_that_is_removed_in_the_end_is_no_hole(log: Log) -> None:
    log.rename()
    log.read()
    log.rotated.unlink()
    log.read()
    assert log.holes == []


def test_a_pattern_follows_several_files_and_takes_none_of_their_rotated_ones(log: Log) -> None:
    other = Log(log.path.with_name("web-2.log"))
    pattern = str(log.path.with_name("web*.log*"))
    log.rename()
    log.places = None
    log.read(pattern=pattern)
    other.write("second\n")
    log.write("first\n")
    log.read(pattern=pattern)
    log.rename()
    log.compress()
    log.read(pattern=pattern)
    assert sorted(log.seen) == [b"first", b"second"]
    assert log.holes == []


def test_a_dated_log_that_is_removed_long_after_its_last_line_is_no_hole(tmp_path: Path) -> None:
    days = [Log(tmp_path / f"web-2026-11-{day}.log") for day in (26, 27)]
    pattern = str(tmp_path / "web-2026-*.log")
    for log in days:
        log.write("before\n")
    days[0].read(pattern=pattern)
    os.utime(days[0].path, (1_800_000_000, 1_800_000_000))
    os.utime(days[1].path, (1_800_090_000, 1_800_090_000))
    days[0].read(pattern=pattern)
    days[0].path.unlink()
    assert days[0].read(pattern=pattern).holes == ()
    days[1].path.unlink()
    assert len(days[0].read(pattern=pattern).holes) == 1


def test_a_link_is_followed_to_where_the_log_is_rotated(tmp_path: Path) -> None:
    (tmp_path / "pods").mkdir()
    log = Log(tmp_path / "pods" / "0.log")
    log.path.touch()
    link = tmp_path / "web.log"
    link.symlink_to(log.path)
    log.read(pattern=str(link))
    log.write("one\n")
    log.rename()
    log.compress()
    log.write("two\n")
    log.read(pattern=str(link))
    assert sorted(log.seen) == [b"one", b"two"]
    assert log.holes == []


def test_a_file_that_is_being_compressed_is_read_from_the_original(log: Log) -> None:
    log.write("one\n" * 1000)
    log.rename()
    packed = log.rotated.with_name("web.log.1.gz")
    packed.write_bytes(gzip.compress(log.rotated.read_bytes())[:20])
    log.read()
    assert (len(log.seen), log.holes) == (1000, [])


def test_what_cannot_be_unpacked_is_a_hole(log: Log) -> None:
    log.write("one\n")
    log.read()
    log.write("".join(f"{number * number}\n" for number in range(5000)))
    log.rename()
    log.compress()
    packed = log.rotated.with_name("web.log.1.gz")
    packed.write_bytes(packed.read_bytes()[:-100])
    log.read()
    assert log.holes == ["web.log.1.gz cannot be unpacked"]


def test_a_line_without_end_takes_no_memory_and_what_follows_is_read(log: Log) -> None:
    log.write("x" * (3 * CHUNK_BYTES))
    log.read()
    log.write("x" * MAX_LINE_BYTES + "\nnext\n")
    log.read()
    assert log.seen == [b"next"]


def test_a_reading_that_runs_out_of_time_goes_on_where_it_stopped(log: Log) -> None:
    text = "".join(f"{number:07}\n" for number in range(100_000))
    log.write(text)
    log.rename()
    readings = 0
    while not log.read(is_late=lambda: True).is_complete:
        readings += 1
    assert readings == len(text) // CHUNK_BYTES + 1
    assert b"\n".join(log.seen) + b"\n" == text.encode()
    assert log.holes == []


def test_a_missing_file_is_said_so_and_read_from_the_top_once_it_is_there(tmp_path: Path) -> None:
    log = Log(tmp_path / "new.log")
    assert not log.read().is_there
    log.write("first\n")
    assert log.read().is_there
    assert log.seen == [b"first"]


STEPS = st.lists(
    st.sampled_from(["line", "half", "read", "rename", "copytruncate", "compress", "lose"]),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_every_line_is_read_once_or_there_is_a_hole(steps: list[str]) -> None:
    with TemporaryDirectory() as folder:
        log = Log(Path(folder) / "web.log")
        log.write("begun\n")
        log.read()
        written = _carry_out(log, steps)
        log.read()
        log.read()
    assert len(log.seen) == len(set(log.seen))
    if log.holes:
        assert {"lose", "copytruncate", "rename"} & set(steps)
        assert set(log.seen) <= set(written)
    else:
        assert sorted(log.seen) == sorted(written)


def _carry_out(log: Log, steps: list[str]) -> list[bytes]:
    """Do what the steps say, and end the last line; every line is another one.

    Nobody can see that an empty file was written to and emptied again, and the copy removed: so it is not.
    """
    written: list[bytes] = []
    half, rotated = "", ""
    for number, step in enumerate([*steps, "line"]):
        if step in {"line", "half"}:
            half += f"[{number}]"
            log.write(f"[{number}]" + ("\n" if step == "line" else ""))
        if step == "line":
            written.append(half.encode())
            half = ""
        elif step in {"rename", "copytruncate"} and not half:
            rotated = step
            getattr(log, step)()
        elif step in {"read", "compress"} or (step == "lose" and rotated == "rename"):
            getattr(log, step)()
    return written
