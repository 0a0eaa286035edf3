"""The process that reads and maps beside the one that writes.

It begins as a copy of ours, which costs neither a start nor much memory, and hands its pages over
through a pipe. All that it writes are claims, those of a page in one transaction, so it may be killed at any
time; it ends by itself when nobody takes its pages any more.
"""

from __future__ import annotations

import fcntl
import marshal
import multiprocessing
import os
import traceback
from array import array
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING, Any

from migrator.auther.mapping.plain import Columns
from migrator.core import errors
from migrator.core.errors import DependencyError, MigratorError
from migrator.legacy.connect import open_database
from migrator.legacy.identity import ClaimedMeanwhileError, IdentityTable
from migrator.legacy.reading import Lines
from migrator.runner.importing.collector import memory_left_alone
from migrator.runner.importing.prefetch import prefetched
from migrator.runner.importing.reading import Job, Ready, read_pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader, FileIO
    from multiprocessing.process import BaseProcess

_COPIES = multiprocessing.get_context("fork")
_PAGE, _ERROR, _END = range(3)
_LENGTH = Struct("!Q")
# What an ordinary user may ask for; a page takes two or three turns then, instead of forty.
_PIPE_BYTES = 2**20


@contextmanager
def reading_process(job: Job) -> Iterator[Iterator[Ready]]:
    """Start the process; it ends with the block. No other thread may be at work while it begins.

    Raises:
        DependencyError: The application's database failed there, or the process was killed.
    """
    source, sink = os.pipe()
    with os.fdopen(source, "rb") as taken:
        with os.fdopen(sink, "wb", buffering=0) as given:
            with suppress(OSError):
                fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            process = _COPIES.Process(target=_read, args=(job, given, taken), daemon=True)
            process.start()
        try:
            yield _taken(taken, process)
        finally:
            process.kill()
            process.join()


def _taken(pages: BufferedReader, process: BaseProcess) -> Iterator[Ready]:
    room = bytearray()
    while True:
        kind, content = _receive(pages, process, room)
        if kind == _END:
            return
        if kind == _ERROR:
            raise _made_again(*content)
        claims, columns, places, others, claimed = content
        yield Ready(claims, _columns(*columns), places, Lines(*others), claimed)


def _columns(*sent: Any) -> Columns:
    columns = Columns(*sent)
    created_ms, updated_ms = array("q", columns.created_ms), array("q", columns.updated_ms)
    return columns._replace(created_ms=created_ms, updated_ms=updated_ms)


def _receive(pages: BufferedReader, process: BaseProcess, room: bytearray) -> Any:
    try:
        (length,) = _LENGTH.unpack(_exactly(pages, _LENGTH.size, room))
        return marshal.loads(_exactly(pages, length, room))  # noqa: S302 - from our own child
    except (EOFError, OSError) as error:
        process.join()
        raise DependencyError(
            f"the process that reads users ended early (exit status {process.exitcode})",
            hint="run the same command again; processes = 1 under [import] does without it",
        ) from error


def _exactly(pages: BufferedReader, length: int, room: bytearray) -> memoryview:
    """Read into the same room each time: new memory costs as much as the copying."""
    if len(room) < length:
        room.extend(bytes(length - len(room)))
    body = memoryview(room)[:length]
    if pages.readinto(body) < length:
        raise EOFError
    return body


def _made_again(kind: str, message: str, hint: str) -> Exception:
    made: type[MigratorError] | None = getattr(errors, kind, None)
    return RuntimeError(message) if made is None else made(message, hint=hint)


def _read(job: Job, pages: FileIO, taken: BufferedReader) -> None:
    """Be that process."""
    # Ctrl-C is for the process that writes; and only when nobody else can take pages are they missed.
    os.setsid()
    taken.close()
    try:
        with memory_left_alone(), _claims(job) as ours, prefetched(read_pages(job)) as ready:
            for claims, columns, places, others, _ in ready:
                sent = claims, tuple(columns), places, tuple(others), ours.written(claims)
                _send(pages, _PAGE, sent)
        _send(pages, _END, ())
    except BrokenPipeError:
        return
    except MigratorError as error:
        _send(pages, _ERROR, (type(error).__name__, error.message, error.hint))
    except Exception:  # noqa: BLE001 - it is raised again in the parent
        _send(pages, _ERROR, ("", traceback.format_exc(), ""))


@dataclass
class _Claims:
    """Writes users down as ours, until somebody else does or nobody takes our pages any more."""

    identities: IdentityTable | None
    parent: int = field(default_factory=os.getppid)

    def written(self, claims: bytes) -> bool:
        if self.identities is None or os.getppid() != self.parent:
            return False
        try:
            self.identities.claim((), plain=claims)
        except ClaimedMeanwhileError:
            self.identities = None
        return self.identities is not None


@contextmanager
def _claims(job: Job) -> Iterator[_Claims]:
    if job.claimed_beside is None or job.mapper is None:
        yield _Claims(None)
        return
    with open_database(job.dsn, read_only=False) as connection:
        table = IdentityTable(connection, job.claimed_beside, source=job.mapper.source)
        yield _Claims(table)


def _send(pages: FileIO, kind: int, content: tuple[Any, ...]) -> None:
    body = marshal.dumps((kind, content))
    for part in (_LENGTH.pack(len(body)), body):
        left = memoryview(part)
        while left:
            left = left[pages.write(left) :]
