"""The process that reads and maps beside the one that writes.

It is given its job through its standard input and hands pages over through its standard output,
each with its length before it. It only reads, so it may be killed at any time; it ends by itself
when nobody takes its pages any more.
"""

from __future__ import annotations

import gc
import marshal
import os
import pickle
import struct
import subprocess
import sys
import traceback
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from migrator.auther.mapping.plain import Columns
from migrator.core import errors
from migrator.core.errors import DependencyError, MigratorError
from migrator.legacy.reading import Lines
from migrator.runner.importing.prefetch import prefetched
from migrator.runner.importing.reading import Job, Ready, read_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH = struct.Struct("<Q")
_PAGE, _ERROR, _END = range(3)
# Texts are looked for among those before in later versions; here hardly any occurs twice.
_VERSION = 2


@contextmanager
def reading_process(job: Job) -> Iterator[Iterator[Ready]]:
    """Start the process; it ends with the block.

    Raises:
        DependencyError: The application's database failed there, or the process was killed.
    """
    command = [sys.executable, "-P", "-m", __name__]
    with subprocess.Popen(  # noqa: S603 - our own program
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        # Ctrl-C is for the process that writes.
        start_new_session=True,
    ) as process:
        try:
            _hand_over(job, process)
            yield _taken(process)
        finally:
            process.kill()


def _hand_over(job: Job, process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        # One that died at once is noticed when no page comes.
        with suppress(BrokenPipeError), process.stdin as job_file:
            pickle.dump(job, job_file)


def _taken(process: subprocess.Popen[bytes]) -> Iterator[Ready]:
    while True:
        kind, content = _receive(process)
        if kind == _END:
            return
        if kind == _ERROR:
            raise _made_again(*content)
        claims, columns, places, others = content
        yield Ready(claims, Columns(*columns), places, Lines(*others))


def _receive(process: subprocess.Popen[bytes]) -> Any:
    pages: Any = process.stdout
    head = pages.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 1
    body = pages.read(length)
    if len(body) < length:
        raise DependencyError(
            f"the process that reads users ended early (exit status {process.wait()})",
            hint="run the same command again; processes = 1 under [import] does without it",
        )
    return marshal.loads(body)  # noqa: S302 - from our own child


def _made_again(kind: str, message: str, hint: str) -> Exception:
    made: type[MigratorError] | None = getattr(errors, kind, None)
    return RuntimeError(message) if made is None else made(message, hint=hint)


def main() -> None:
    """Be that process."""
    gc.freeze()
    pages, job = sys.stdout.buffer, pickle.load(sys.stdin.buffer)  # noqa: S301 - from our parent
    try:
        with prefetched(read_pages(job)) as ready:
            for claims, columns, places, others in ready:
                _send(pages, _PAGE, (claims, tuple(columns), places, tuple(others)))
        _send(pages, _END, ())
    except BrokenPipeError:
        os._exit(1)
    except MigratorError as error:
        _send(pages, _ERROR, (type(error).__name__, error.message, error.hint))
    except Exception:  # noqa: BLE001 - it is raised again in the parent
        _send(pages, _ERROR, ("", traceback.format_exc(), ""))


def _send(pages: IO[bytes], kind: int, content: tuple[Any, ...]) -> None:
    body = marshal.dumps((kind, content), _VERSION)
    pages.write(_LENGTH.pack(len(body)))
    pages.write(body)
    pages.flush()


if __name__ == "__main__":
    main()
