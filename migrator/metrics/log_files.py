"""Reads what was written to a log since the last time, through every kind of rotation.

Where reading stands is kept per file: by device and inode, how far, and checksums of what was read. So a
file that was renamed is known again, and so is a copy, compressed or not, of one that was taken away.
"""

from __future__ import annotations

import gzip
import os
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape, glob
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

CHUNK_BYTES = 1 << 18
MAX_LINE_BYTES = 1 << 16
TAIL_BYTES = 1 << 10
GZIP = ".gz"
UNREADABLE = frozenset({".bz2", ".xz", ".zst"})
Opened = IO[bytes] | gzip.GzipFile
SPOILT = (gzip.BadGzipFile, EOFError, zlib.error)
IDLE_NS = 3600 * 10**9


class Place(NamedTuple):
    """How far a file was read.

    Attributes:
        start: Where reading began; what stands before was there before anybody followed.
        end: Behind the last line that was read.
        crc: CRC-32 of the bytes from start to end.
        tail: CRC-32 of the last 1,024 bytes before the end.
        is_settled: Nothing was new at the last reading, and it was rotated away or idle for an hour
            while others were written to.
    """

    device: int
    inode: int
    start: int
    end: int
    crc: int
    tail: int | None
    is_settled: bool = False


@dataclass(frozen=True)
class Places:
    """What is remembered of the files of one pattern.

    Attributes:
        written_ns: When the newest of them was written to, by the files' own times.
    """

    files: tuple[Place, ...] = ()
    written_ns: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {"files": [list(place) for place in self.files], "written_ns": self.written_ns}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Places:
        """Read what `to_json` wrote."""
        return cls(tuple(Place(*place) for place in data["files"]), data["written_ns"])


@dataclass(frozen=True)
class Read:
    """What a reading came to.

    Attributes:
        holes: What was written and can't be read any more, in words.
        is_complete: Whether the ends of all files were reached.
        is_there: Whether there is a file that is written to.
    """

    places: Places
    holes: tuple[str, ...] = ()
    is_complete: bool = True
    is_there: bool = True


@dataclass(frozen=True)
class _File:
    path: Path
    device: int
    inode: int
    size: int
    written_ns: int
    is_active: bool

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """Open it, unpacked.

        Raises:
            FileNotFoundError: It is gone, or another file has taken its name.
        """
        with self.path.open("rb") as file:
            found = os.fstat(file.fileno())
            if (found.st_dev, found.st_ino) != (self.device, self.inode):
                raise FileNotFoundError(self.path)
            if self.path.suffix != GZIP:
                yield file
                return
            with gzip.open(file) as unpacked:
                yield unpacked


def read_on(
    pattern: str,
    places: Places | None,
    *,
    line: Callable[[bytes], None],
    is_late: Callable[[], bool],
) -> Read:
    """Read every whole line that is new.

    Args:
        pattern: Path or glob pattern of the files that are written to; those whose name continues one
            of their names, e.g. `app.log.1`, are taken for rotated ones.
        places: Where the last reading ended; None to begin now, behind what is there.
        line: Gets each line, without its end; one above 64 KiB is left out.
        is_late: Whether to stop; asked between pieces of 256 KiB.

    Raises:
        OSError: A file or its folder cannot be read.
    """
    files = _files(pattern)
    written_ns = max((file.written_ns for file in files), default=0)
    if places is None:
        begun = tuple(_begun(file) for file in files if file.is_active)
        return Read(Places(begun, written_ns), is_there=bool(begun))
    reading = _Reading(files, places, line, is_late)
    kept = reading.run()
    done_ns = max(written_ns, places.written_ns) if reading.is_complete else places.written_ns
    return Read(
        Places(kept, done_ns),
        tuple(reading.holes),
        is_complete=reading.is_complete,
        is_there=any(file.is_active for file in files),
    )


class _Reading:
    """One reading of all files of a pattern."""

    def __init__(
        self,
        files: Sequence[_File],
        before: Places,
        line: Callable[[bytes], None],
        is_late: Callable[[], bool],
    ) -> None:
        self._unclaimed = {(file.device, file.inode): file for file in files}
        self._newest_ns = max((file.written_ns for file in files), default=0)
        self._before = before
        self._line = line
        self._is_late = is_late
        self.holes: list[str] = []
        self.is_complete = True

    def run(self) -> tuple[Place, ...]:
        followed = [self._followed(old) for old in self._before.files]
        return tuple(place for place in [*followed, *self._begun_since()] if place is not None)

    def _followed(self, old: Place) -> Place | None:
        """Read on in a file, wherever it is now; None when it is gone and was read to its end."""
        file = self._unclaimed.get((old.device, old.inode))
        if file is not None and _is_longer(file, old):
            del self._unclaimed[file.device, file.inode]
            read = self._read(file, old, to_the_end=old.is_settled)
            is_left = not file.is_active or file.written_ns < self._newest_ns - IDLE_NS
            return read._replace(is_settled=is_left and read.end == old.end)
        copy = self._copy_of(old)
        if copy is None:
            if not old.is_settled:
                self.holes.append("a log file was taken away before its end was read")
            return None
        del self._unclaimed[copy.device, copy.inode]
        read = self._read(copy, old, to_the_end=True)
        return None if self.is_complete else read

    def _copy_of(self, old: Place) -> _File | None:
        since_ns = self._before.written_ns
        rotated = [f for f in self._unclaimed.values() if not f.is_active]
        return next(
            (f for f in rotated if f.written_ns >= since_ns and _begins_with(f, old)), None
        )

    def _begun_since(self) -> Iterator[Place]:
        """Read what nobody has read before; what was rotated away meanwhile is a hole."""
        for file in self._unclaimed.values():
            if file.is_active:
                yield self._read(file, Place(file.device, file.inode, 0, 0, 0, 0))
            elif self._is_newer(file) and self.is_complete and _holds_something(file):
                self.holes.append(f"{file.path.name} came and went between two looks")

    def _is_newer(self, file: _File) -> bool:
        return file.written_ns > self._before.written_ns

    def _read(self, file: _File, place: Place, *, to_the_end: bool = False) -> Place:
        try:
            with file.opened() as opened:
                return self._read_opened(opened, place, to_the_end=to_the_end)
        except FileNotFoundError:
            # Rotated in this very moment; the next reading finds it.
            self.is_complete = False
        except SPOILT:
            self.holes.append(f"{file.path.name} cannot be unpacked")
        return place

    def _read_opened(self, opened: Opened, place: Place, *, to_the_end: bool) -> Place:
        lines = _Lines(is_inside=place.end > 0 and not _ends_a_line(opened, place.end))
        end, crc = place.end, place.crc
        opened.seek(end)
        while self.is_complete and (piece := opened.read(CHUNK_BYTES)):
            for one in lines.of(piece):
                self._line(one)
            end, crc = end + len(lines.taken), zlib.crc32(lines.taken, crc)
            self.is_complete = not self._is_late()
        if to_the_end and self.is_complete and lines.rest:
            self._line(lines.rest)
            end, crc = end + len(lines.rest), zlib.crc32(lines.rest, crc)
        return place._replace(end=end, crc=crc, tail=_tail(opened, end))


class _Lines:
    """Cuts pieces into lines.

    Attributes:
        rest: The beginning of a line whose end was not seen yet.
        taken: What the last piece brought to an end.
    """

    def __init__(self, *, is_inside: bool) -> None:
        self._is_inside = is_inside
        self.rest = b""
        self.taken = b""

    def of(self, piece: bytes) -> list[bytes]:
        """Give the lines that end in a piece; of one that is too long, nothing."""
        joined = self.rest + piece
        *lines, self.rest = joined.split(b"\n")
        if lines and self._is_inside:
            del lines[0]
            self._is_inside = False
        if len(self.rest) > MAX_LINE_BYTES:
            self.rest, self._is_inside = b"", True
        self.taken = joined[: len(joined) - len(self.rest)]
        return lines


def _files(pattern: str) -> list[_File]:
    """Find the files that are written to, and those that were rotated away from them."""
    written = {name for name in glob(pattern) if not _is_compressed(name)}  # noqa: PTH207
    active = {Path(name).resolve() for name in written if not _continues(name, written)}
    siblings = [path for each in active for path in each.parent.glob(escape(each.name) + "*")]
    found = {Path(name).resolve() for name in glob(pattern + "*")} | set(siblings)  # noqa: PTH207
    return [
        _File(path, s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, path in active)
        for path in sorted(found)
        if path.is_file() and not _is_no_log(path, found) and (s := path.stat())
    ]


def _is_no_log(path: Path, others: Iterable[Path]) -> bool:
    """Tell whether a file cannot be read, or is being compressed in this moment."""
    return path.suffix in UNREADABLE or (path.suffix == GZIP and path.with_suffix("") in others)


def _is_compressed(name: str) -> bool:
    return Path(name).suffix in {GZIP, *UNREADABLE}


def _continues(name: str, others: Iterable[str]) -> bool:
    return any(name != other and name.startswith(other) for other in others)


def _begun(file: _File) -> Place:
    with file.opened() as opened:
        return Place(file.device, file.inode, file.size, file.size, 0, _tail(opened, file.size))


def _is_longer(file: _File, old: Place) -> bool:
    """Tell whether a file still holds what was read of it: it may have been cut off."""
    if file.size < old.end:
        return False
    with file.opened() as opened:
        return _tail(opened, old.end) == old.tail


def _begins_with(file: _File, old: Place) -> bool:
    """Tell whether a file holds what was read of another one."""
    try:
        with file.opened() as opened:
            return _crc(opened, old.start, old.end) == old.crc and (
                _tail(opened, old.end) == old.tail
            )
    except (OSError, *SPOILT):
        return False


def _holds_something(file: _File) -> bool:
    """Tell whether a file is not empty, or cannot be looked into."""
    try:
        with file.opened() as opened:
            return bool(opened.read(1))
    except (OSError, *SPOILT):
        return True


def _crc(opened: Opened, start: int, end: int) -> int | None:
    """Give the checksum of a part, None where the file is shorter."""
    opened.seek(start)
    crc, left = 0, end - start
    while left > 0:
        piece = opened.read(min(left, CHUNK_BYTES))
        if not piece:
            return None
        crc, left = zlib.crc32(piece, crc), left - len(piece)
    return crc


def _tail(opened: Opened, end: int) -> int | None:
    return _crc(opened, max(0, end - TAIL_BYTES), end)


def _ends_a_line(opened: Opened, end: int) -> bool:
    opened.seek(end - 1)
    return opened.read(1) == b"\n"
