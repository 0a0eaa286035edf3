"""Goes forward or back through a removal, killed before and after each transaction that it sends.

Arguments: the folder of migrator.toml, and `apply` or `revert`. Prints where it was killed, a line each. A run is a copy of this
process that ends itself by SIGKILL at the first place where none before it was killed; the last one comes to the end.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.legacy import execute
from migrator.runner.context import make_context
from phases import p4_remove

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.core.units import Unit
    from migrator.legacy.postgres import PostgresConnection


class Killer:
    """Ends this process at a place where it was not ended before.

    Args:
        visited: A file with the places of all runs, one a line.
    """

    def __init__(self, visited: Path) -> None:
        self._visited = visited
        self._known = set(visited.read_text().splitlines())
        self._send = execute._send

    def send(self, connection: PostgresConnection, unit: Unit) -> None:
        """Send a unit, if life permits."""
        # A name of a unit alone is in several files.
        place = entered(unit.text) or unit.name
        self._at(f"before {place}")
        self._send(connection, unit)
        self._at(f"after {place}")

    def _at(self, place: str) -> None:
        if place not in self._known:
            with self._visited.open("a") as file:
                file.write(place + "\n")
            os.kill(os.getpid(), signal.SIGKILL)


def _child(root: Path, direction: str, visited: Path) -> int:
    ctx = make_context(
        load(root / "migrator.toml"), root=root, clock=SystemClock(), progress=Progress()
    )
    execute._send = Killer(visited).send
    if direction == "apply":
        p4_remove.run(ctx)
    else:
        p4_remove.rollback(ctx)
    return 0


def entered(text: str) -> str:
    """Give what the header of a unit's SQL says that it is; empty for other SQL."""
    return text.partition("enter(")[2].partition(")")[0]


def until_it_ends(child: Callable[[], int], visited: Path) -> int:
    """Run a copy of this process after another until one ends by itself; print the places and give its exit code."""
    visited.touch()
    while True:
        pid = os.fork()
        if not pid:
            os._exit(child())
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            print(visited.read_text(), end="")
            return os.WEXITSTATUS(status)


def main() -> int:
    root, direction = Path(sys.argv[1]), sys.argv[2]
    visited = root / f"killed-{direction}"
    return until_it_ends(lambda: _child(root, direction, visited), visited)


if __name__ == "__main__":
    sys.exit(main())
