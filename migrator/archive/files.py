"""Files that only their owner may read, on the disk for certain before anybody counts on them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.config.on_disk import private
from migrator.core.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 1 << 20


@contextmanager
def disk(what: str) -> Iterator[None]:
    """Turn a refusal of the disk into one sentence.

    Raises:
        DependencyError: No room, no right, or a file that may not grow.
    """
    try:
        yield
    except OSError as error:
        raise DependencyError(
            f"{what}: {error.strerror}", hint="make room, then the same command again"
        ) from error


def write(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there; interrupted, the old one stays."""
    aside = path.with_name(path.name + ".part")
    aside.unlink(missing_ok=True)
    with open(aside, "wb", opener=private) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def blocks(path: Path) -> Iterator[bytes]:
    """Give a file's content a megabyte at a time."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
