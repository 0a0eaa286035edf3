"""A folder in memory for what the tests write: they make and drop hundreds of databases. Knows nothing of pytest."""

import os
import re
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
# The servers of three processes take about 1 GiB of it.
ROOM_BYTES = 6 * 1024**3


def folder_in_memory() -> Path | None:
    """Where files stay in memory; None where there is too little room, or no program may run from there."""
    try:
        there = os.statvfs(SHARED_MEMORY)
    except OSError:
        return None
    room_bytes = min(there.f_bavail * there.f_frsize, _available_bytes())
    runs_programs = not there.f_flag & os.ST_NOEXEC
    return SHARED_MEMORY if runs_programs and room_bytes >= ROOM_BYTES else None


def _available_bytes() -> int:
    found = re.search(
        r"^MemAvailable: *(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE
    )
    return int(found[1]) * 1024 if found else 0
