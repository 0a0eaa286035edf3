"""Reads the bare rows of a page of users, as they are at Auther and in no order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.auther.database import Run
from migrator.auther.sql_target import SqlTarget
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.auther.database import Database
    from migrator.auther.interface import Target

_QUERIES = load("migrator.auther", "bare.sql")


class Rows(NamedTuple):
    """Rows of users, in the order of `UserRow`, and all their accounts, in that of `AccountRow`."""

    users: list[tuple[Any, ...]]
    accounts: list[tuple[Any, ...]]


class BareReader:
    """Asks Auther's database itself where that is reached, otherwise the target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._database = target.database if isinstance(target, SqlTarget) else None
        self._accounts = self._database and _accounts(self._database)

    def read(self, ids: Sequence[str]) -> Rows:
        """Read users.

        Args:
            ids: Each of them once.

        Raises:
            DependencyError: The database does not answer.
        """
        if self._database is None or not self._accounts:
            found = self._target.read(ids).values()
            return Rows([s.user for s in found], [a for s in found for a in s.accounts])
        wanted = [json.dumps(ids, ensure_ascii=False)]
        return Rows(
            *self._database.ask(Run(_QUERIES["users"], wanted), Run(self._accounts, wanted))
        )


def _accounts(database: Database) -> str:
    """Choose the query; the wrong one reads all accounts for each user."""
    has_index = database.ask(Run(_QUERIES["has_account_index"]))[0][0][0]
    return _QUERIES["accounts_by_index" if has_index else "accounts_by_scan"]
