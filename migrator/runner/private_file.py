"""Files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from migrator.config.on_disk import private
from migrator.core.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def put_in_place(path: Path, *, what: str, hint: str) -> Iterator[IO[str]]:
    """Write a new file (0600); it takes the place of the old one when the block ends well.

    If the process is killed, the old file stays, and beside it a part that the next one overwrites.

    Args:
        path: Its folder is made where it is missing.
        what: What the file is, for the message.
        hint: What to do when it cannot be written.

    Raises:
        DependencyError: The file cannot be written; the old one is as it was.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.unlink(missing_ok=True)
        with open(part, "w", encoding="utf-8", opener=private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise DependencyError(
            f"{what} {path.name} cannot be written: {error.strerror}", hint=hint
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
