"""How files are made that only their owner may read, and how their names outlive a power cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OWNER_ONLY = 0o600


def private(name: str, flags: int) -> int:
    """Open a file with mode 0600 from its first moment on; for `open(…, opener=private)`."""
    return os.open(name, flags, OWNER_ONLY)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder outlive a power cut.

    Raises:
        OSError: The disk refuses.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
