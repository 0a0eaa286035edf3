"""A folder in memory for what the tests write: they make and drop hundreds of databases. Knows nothing of pytest."""

import fcntl
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
# The servers of three processes take about 1 GiB of it.
ROOM_BYTES = 6 * 1024**3
_RUN = "migrator-run-"
# PostgreSQL runs as nobody where the tests run as root.
_OTHERS_MAY_PASS = 0o711


def folder_in_memory() -> Path | None:
    """Where files stay in memory; None where there is too little room, or no program may run from there."""
    try:
        there = os.statvfs(SHARED_MEMORY)
    except OSError:
        return None
    room_bytes = min(there.f_bavail * there.f_frsize, _available_bytes())
    runs_programs = not there.f_flag & os.ST_NOEXEC
    return SHARED_MEMORY if runs_programs and room_bytes >= ROOM_BYTES else None


def folder_of_run(base: Path) -> Path:
    """Make the folder of a test run, as this process's."""
    made = Path(tempfile.mkdtemp(prefix="migrator-new-", dir=base))
    made.chmod(_OTHERS_MAY_PASS)
    hold(made)
    # Under this name others look at it: not before it is held.
    return made.rename(base / made.name.replace("migrator-new-", _RUN))


def remove_left_folders(base: Path = SHARED_MEMORY) -> None:
    """Remove the folders of this user's runs whose processes are gone, however they ended."""
    for left in base.glob(f"{_RUN}*"):
        # Held by a living one, or gone meanwhile.
        with suppress(OSError):
            _remove_unless_held(left)


def hold(folder: Path) -> None:
    """Let a folder count as this process's until it ends, however it does; others may hold it as well."""
    fcntl.flock(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_SH)


def _remove_unless_held(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(opened).st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(opened)


def _available_bytes() -> int:
    found = re.search(
        r"^MemAvailable: *(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE
    )
    return int(found[1]) * 1024 if found else 0
