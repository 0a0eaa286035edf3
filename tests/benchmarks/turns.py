"""Processes that take turns: while one is at its measured work the others wait, so that a busy machine slows all."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import Popen


def hand_over() -> None:
    """Let the others have a turn, and wait for the next one of our own."""
    print(flush=True)
    sys.stdin.readline()


def in_turns(*processes: Popen[bytes]) -> list[str]:
    """Lead processes that `hand_over` before their work and now and then in it.

    Returns:
        The JSON object that each of them says in the end; what they log is passed over.

    Raises:
        RuntimeError: One of them ended without it.
    """
    last: dict[Popen[bytes], str] = {}
    for process in processes:
        _next_line(process)
    while len(last) < len(processes):
        for process in processes:
            if process not in last and (line := _turn(process)):
                last[process] = line
    return [last[process] for process in processes]


def _turn(process: Popen[bytes]) -> str:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    return _next_line(process)


def _next_line(process: Popen[bytes]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line == b"\n" or line.startswith(b"{"):
            return line.decode().strip()
    raise RuntimeError(f"ended early: {process.args!r}")
