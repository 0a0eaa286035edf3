"""Runs the write-back again and again, each time killed one effect later, until it ends by itself.

Arguments: the folder of migrator.toml. Prints how many runs were killed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from migrator.auther.ways.sqlite import SqliteDatabase
from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.legacy.mariadb.connection import MariaDbConnection
from migrator.legacy.sqlite.connection import SqliteConnection
from migrator.runner.context import make_context
from migrator.runner.writing_back.running import run
from migrator.state.checkpoints import Checkpoints
from tests.phases.importing import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 400


class Killer:
    """Ends this process at the n-th effect, by turns before it and after it."""

    def __init__(self, at: int) -> None:
        self._left = at

    def around(self, owner: type, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def deadly(*args: Any, **kwargs: Any) -> Any:
            self._step()
            answer = real(*args, **kwargs)
            self._step()
            return answer

        setattr(owner, name, deadly)

    def _step(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def child(root: Path, at: int) -> None:
    ctx = make_context(
        load(root / "migrator.toml"), root=root, clock=ManualClock(NOW), progress=Progress()
    )
    killer = Killer(at)
    for connection in (psycopg.Connection, MariaDbConnection, SqliteConnection):
        killer.around(connection, "execute")
    killer.around(SqliteDatabase, "write")
    killer.around(SqliteDatabase, "ask")
    killer.around(Checkpoints, "put")
    run(ctx)


def main() -> int:
    root = Path(sys.argv[1])
    for at in range(1, MOST):
        pid = os.fork()
        if not pid:
            child(root, at)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            print(at - 1)
            return os.WEXITSTATUS(status)
    return 1


if __name__ == "__main__":
    sys.exit(main())
