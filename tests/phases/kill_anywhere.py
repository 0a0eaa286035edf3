"""Gives one command again and again, killed at each place that it comes to, until it ends by itself.

Arguments: the folder of migrator.toml, which has the approvers' keys in keys.json; `all` places, only the `ends` of
transactions and files, or an expression that a place has to fit; the command's words. Prints the places, a line each. A place is a statement that writes, an end of a
transaction with one, or a change of a file; a run is a copy of this process that ends itself by SIGKILL at the first place where none
before it was killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus
from pymysql.constants.COMMAND import COM_QUERY

from migrator.legacy.mariadb.connection import MariaDbConnection
from tests.cli.command import migrator
from tests.phases.kill_driver import entered, until_it_ends
from tests.runner.approvals import Team

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE_EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}
_WRITING = re.compile(
    r"\b(INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|VACUUM|approve_writer|take_lease|REPLACE|COMMIT)\b"
)
_WHICH = {"all": "", "ends": r"os.rename|end of a transaction|COMMIT"}
_NOT_SIGNED = 3


class Killer:
    """Ends this process at a place where it was not ended before.

    Args:
        root: Files outside of it are none of the command's.
        visited: A file with the places of all runs, one a line.
        which: Leave out places that it does not fit.
    """

    def __init__(self, root: Path, visited: Path, *, which: str) -> None:
        self._root, self._visited, self._which = str(root), visited, re.compile(which)
        self._known = set(visited.read_text().splitlines())
        self._seen: dict[str, int] = {}
        self._ending = self._wrote = False

    def arm(self) -> None:
        """Watch files and statements from now on."""
        sys.addaudithook(self._event)
        psycopg.Cursor.execute = self._before(psycopg.Cursor.execute)  # type: ignore[method-assign]
        end = psycopg.Transaction.__exit__

        def ended(transaction: psycopg.Transaction, *how: Any) -> Any:
            if not self._wrote:
                return end(transaction, *how)
            self._at("before the end of a transaction")
            result = end(transaction, *how)
            self._at("after the end of a transaction")
            # Those within another one end with it.
            self._wrote = transaction.connection.info.transaction_status != TransactionStatus.IDLE
            return result

        psycopg.Transaction.__exit__ = ended  # type: ignore[method-assign]
        # MariaDB ends a transaction with a statement, or with each.
        for name in ("execute", "insert"):
            setattr(MariaDbConnection, name, self._before(getattr(MariaDbConnection, name)))
        MariaDbConnection.send = self._around(MariaDbConnection.send)  # type: ignore[method-assign]

    def _around(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def sent(on: MariaDbConnection, statement: str) -> None:
            place = _place(statement) or "a statement"
            self._at(f"before {place}")
            # The server goes on with what it was told, whoever is there to hear of it.
            self._at(f"while {place}", lambda: on._raw._execute_command(COM_QUERY, statement))
            send(on, statement)
            self._at(f"after {place}")

        return sent

    def _before(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        def executed(on: Any, query: Any, *more: Any, **options: Any) -> Any:
            if place := _place(query):
                self._wrote = True
                self._at(f"before {place}")
            return execute(on, query, *more, **options)

        return executed

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._ending or (event not in _FILE_EVENTS and not _writes(event, arguments)):
            return
        path = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | Path) else ""
        if path.startswith(self._root):
            self._at(f"before {event} {Path(path).name}")

    def _at(self, place: str, last_words: Callable[[], object] = bool) -> None:
        # Names of requests and editions of chunks differ between runs.
        plain = re.sub(r"-[0-9a-f]{8}\b|-e\d\d\b", "", place)
        if not self._which.search(plain):
            return
        self._seen[plain] = self._seen.get(plain, 0) + 1
        named = f"{plain} ({self._seen[plain]})"
        if named not in self._known:
            self._ending = True
            with self._visited.open("a") as file:
                file.write(named + "\n")
            last_words()
            os.kill(os.getpid(), signal.SIGKILL)


def _writes(event: str, arguments: tuple[Any, ...]) -> bool:
    return event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _place(query: Any) -> str:
    text = query.decode() if isinstance(query, bytes) else str(query)
    if unit := entered(text):
        return f"the transaction {unit}"
    words = " ".join(text.split())[:100]
    return words if _WRITING.search(words) else ""


def _child(root: Path, visited: Path, which: str, words: list[str]) -> int:
    team = Team(root, json.loads((root / "keys.json").read_text()))
    Killer(root, visited, which=_WHICH.get(which, which)).arm()
    ran = migrator(root, *words)
    if ran.code == _NOT_SIGNED and "is not approved" in ran.err:
        team.sign("alice", "bob")
        ran = migrator(root, *words)
    sys.stderr.write(ran.err)
    return ran.code


def main() -> int:
    root = Path(sys.argv[1])
    visited = root / "killed"
    visited.unlink(missing_ok=True)
    return until_it_ends(lambda: _child(root, visited, sys.argv[2], sys.argv[3:]), visited)


if __name__ == "__main__":
    sys.exit(main())
