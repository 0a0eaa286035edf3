"""What processes cost: processor time and resident memory, read from /proc while they run."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_EVERY_S = 0.1


@dataclass
class Watch:
    """Looks at a process and its children ten times a second, from outside.

    Attributes:
        resident_mb: The most that each process held, by its place: the process first, then its children
            in the order in which they began.
        sum_mb: The most that all held together at one time, each with the pages that it shares.
        shared_out_mb: The same with shared pages divided among those who share them: what the machine
            really gave.
    """

    pid: int
    resident_mb: dict[int, float] = field(default_factory=dict)
    sum_mb: float = 0
    shared_out_mb: float = 0

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._ended.wait(_EVERY_S):
            found = {pid: _memory_mb(pid) for pid in [self.pid, *children(self.pid)]}
            for pid, (resident, _) in found.items():
                self.resident_mb[pid] = max(self.resident_mb.get(pid, 0), resident)
            self.sum_mb = max(self.sum_mb, sum(resident for resident, _ in found.values()))
            self.shared_out_mb = max(self.shared_out_mb, sum(part for _, part in found.values()))


def _memory_mb(pid: int) -> tuple[float, float]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
    return int(sizes["Rss"]) / 1024, int(sizes["Pss"]) / 1024


def children(pid: int) -> list[int]:
    """The processes that this one started and that still run, in the order in which they began."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    try:
        return sorted(int(child) for task in tasks for child in task.read_text().split())
    except OSError:
        return []


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and of all that it started, whether they still run or not."""
    return sum(_ticks(one) for one in [pid, *children(pid)]) / _TICKS


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    # utime, stime, and those of children that were waited for
    return sum(map(int, fields[11:15]))
