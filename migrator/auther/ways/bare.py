"""Reads the bare rows of a page of users, as they are at Auther and in no order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.auther.interface import AccountRow, UserRow
from migrator.auther.ways.database import Run
from migrator.auther.ways.libsql import LibsqlDatabase
from migrator.auther.ways.sql_target import SqlTarget
from migrator.core.errors import DependencyError
from migrator.core.queries import load
from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.auther.interface import Target
    from migrator.auther.ways.database import Database

_QUERIES = load("migrator.auther.ways", "bare.sql")


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
        questions = Run(_QUERIES["users"], wanted), Run(self._accounts, wanted)
        packed = self._packed(questions) if isinstance(self._database, LibsqlDatabase) else None
        return packed or Rows(*self._database.ask(*questions))

    def _packed(self, questions: tuple[Run, Run]) -> Rows | None:
        """Read rows as one text for each question; None where a value is of a kind that JSON lacks."""
        asked = [
            _pack(question, columns)
            for question, columns in zip(
                questions, (UserRow._fields, AccountRow._fields), strict=True
            )
        ]
        try:
            users, accounts = self._database.ask(*asked) if self._database else ([], [])
        except DependencyError:
            return None
        return Rows(_unpacked(users), _unpacked(accounts))


def _pack(question: Run, columns: Sequence[str]) -> Run:
    names = ", ".join(map(ident, columns))
    return Run(_QUERIES["packed"].format(columns=names, query=question.sql), question.values)


def _unpacked(answer: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(map(tuple, json.loads(answer[0][0])))


def _accounts(database: Database) -> str:
    """Choose the query; the wrong one reads all accounts for each user."""
    has_index = database.ask(Run(_QUERIES["has_account_index"]))[0][0][0]
    return _QUERIES["accounts_by_index" if has_index else "accounts_by_scan"]
