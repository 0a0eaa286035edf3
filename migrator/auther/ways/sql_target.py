"""Auther through SQL, the same over a database file and over a libSQL server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migrator.auther.interface import (
    CREDENTIAL,
    AccountRow,
    Found,
    Stored,
    TargetChangedError,
    TupleRow,
    UserRow,
)
from migrator.auther.ways import issuers
from migrator.auther.ways.changing import Reach, reach_of, removal, steps_of
from migrator.auther.ways.database import Each, Insert, InsertAlike, Run
from migrator.auther.ways.marks import MARK_COLUMNS, mark_row
from migrator.auther.ways.schema import ISSUER, TUPLES, Layout
from migrator.core.errors import RefusedError
from migrator.core.queries import load
from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrator.auther.interface import Alike, Change, Mapped
    from migrator.auther.ways.database import Database

_QUERIES = load("migrator.auther.ways", "sql_target.sql")


class SqlTarget:
    """Reads and writes one database; each write is one transaction, all or nothing.

    Attributes:
        page_rows: The most users that are written in one transaction.
        layout: Which known form the tables have.
        database: What is behind it, for tables that hold no users.
    """

    def __init__(
        self,
        database: Database,
        layout: Layout,
        *,
        account_issuers: Mapping[str, str],
        page_rows: int,
    ) -> None:
        self.page_rows = page_rows
        self.layout = layout
        self.database = database
        self._issuers = account_issuers

    def find(self, rows: Sequence[Mapped]) -> Found:  # noqa: D102
        ids, emails, usernames = self.database.ask(
            _about("find_ids", [row.user.id for row in rows]),
            _about("find_emails", [row.user.email for row in rows]),
            _about("find_usernames", [row.user.username for row in rows if row.user.username]),
        )
        wanted = [a.account_id for r in rows for a in r.accounts if a.provider_id != CREDENTIAL]
        subjects = self._subjects(wanted) if wanted else []
        return Found(
            ids=frozenset(user_id for (user_id,) in ids),
            emails=dict(emails),
            usernames=dict(usernames),
            subjects={(provider, subject): owner for provider, subject, owner in subjects},
        )

    def _subjects(self, wanted: Sequence[str]) -> list[tuple[Any, ...]]:
        return self.database.ask(_about("find_subjects", wanted))[0]

    def write(self, rows: Sequence[Mapped]) -> None:  # noqa: D102
        self.write_rows(
            [row.user for row in rows],
            [account for row in rows for account in row.accounts],
            tuples=[found for row in rows for found in row.tuples],
            without_account=[row.user for row in rows if not row.accounts],
        )

    def write_rows(
        self,
        users: Sequence[tuple[Any, ...]],
        accounts: Sequence[tuple[Any, ...]],
        *,
        tuples: Sequence[tuple[Any, ...]] = (),
        without_account: Sequence[UserRow] = (),
        alike: tuple[Alike, Alike] | None = None,
    ) -> None:
        """Write ready rows in one transaction, all or none.

        Args:
            users: In the order of `UserRow`.
            accounts: In the order of `AccountRow`.
            tuples: In the order of `TupleRow`; those that are there stay as they are.
            without_account: Those of the users who have none, and get a mark instead.
            alike: More rows of users, and as many of their accounts.

        Raises:
            TargetChangedError: A row came into being meanwhile.
            RefusedError: There are tuples and no table for them.
            DependencyError: The database is busy, full or gone; nothing was written.
        """
        marks = [mark_row(user) for user in without_account]
        steps = [
            Insert("user", UserRow._fields, users),
            self.insert_accounts(accounts),
            *(self._insert_alike(*alike) if alike else ()),
            Insert("verification", MARK_COLUMNS, marks, lenient=True),
            self._insert_tuples(tuples),
        ]
        written = self.database.write([step for step in steps if step.rows])
        # An answer may have been lost: then it is our own rows that are in the way.
        if written == [None]:
            more = [rows.rows() for rows in alike or ()] or [[], []]
            if not self._are_there([*users, *more[0]], [*accounts, *more[1]]):
                raise TargetChangedError

    def insert_accounts(self, accounts: Sequence[tuple[Any, ...]]) -> Insert:
        """Give the step that inserts accounts, with their issuers where the table has them."""
        if not self.layout.issuers:
            return Insert("account", AccountRow._fields, accounts)
        rows = [(*row, issuers.issuer(row[2], self._issuers)) for row in accounts]
        return Insert("account", (*AccountRow._fields, ISSUER), rows)

    def _insert_alike(self, users: Alike, accounts: Alike) -> tuple[InsertAlike, InsertAlike]:
        if self.layout.issuers:
            issuer = issuers.issuer(accounts.same["provider_id"], self._issuers)
            columns, same = (*accounts.columns, ISSUER), {**accounts.same, ISSUER: issuer}
            accounts = replace(accounts, columns=columns, same=same)
        return InsertAlike("user", users), InsertAlike("account", accounts)

    def _insert_tuples(self, tuples: Sequence[tuple[Any, ...]]) -> Insert:
        if tuples and not self.layout.tuples:
            raise RefusedError(
                f"there are roles to write, but Auther has no table {TUPLES}",
                hint="migrate Auther's database, or take the roles out of [import] in migrator.toml",
            )
        return Insert(TUPLES, TupleRow._fields, tuples, lenient=True)

    def change(self, changes: Sequence[Change]) -> list[str]:  # noqa: D102
        parts: dict[Reach, list[Change]] = {reach: [] for reach in Reach}
        for change in changes:
            parts[reach_of(change)].append(change)
        groups = [part for part in parts.values() if part]
        done = self.database.write(*map(self._steps, groups)) if groups else []
        left: list[Change] = []
        for part, counts in zip(groups, done, strict=True):
            if not counts:
                left += self._change_each(part)
            elif counts[0] < len(part):
                left += part
        there = self.read([change.before.user.id for change in left]) if left else {}
        found = ((change, there.get(change.before.user.id)) for change in left)
        return [c.before.user.id for c, stored in found if stored != _wanted(c)]

    def _change_each(self, changes: Sequence[Change]) -> list[Change]:
        """Make each change apart: a row of one of them is in the way of another one."""
        done = self.database.write(*([*self._steps([change])] for change in changes))
        pairs = zip(changes, done, strict=True)
        return [change for change, counts in pairs if not (counts and counts[0])]

    def _steps(self, changes: Sequence[Change]) -> list[Run | Each]:
        return steps_of(changes, layout=self.layout, insert=self.insert_accounts)

    def read(self, ids: Sequence[str]) -> dict[str, Stored]:  # noqa: D102
        users, found = self.database.ask(_about("read_users", ids), _about("read_accounts", ids))
        accounts: dict[str, list[AccountRow]] = {}
        for account in map(AccountRow._make, found):
            accounts.setdefault(account.user_id, []).append(account)
        return {
            user.id: Stored(user, tuple(accounts.get(user.id, ())))
            for user in map(UserRow._make, users)
        }

    def tuples(self, ids: Sequence[str]) -> dict[str, tuple[TupleRow, ...]] | None:  # noqa: D102
        if not self.layout.tuples:
            return None
        found: dict[str, tuple[TupleRow, ...]] = {}
        (rows,) = self.database.ask(_about("tuples_of_users", ids))
        for row in map(TupleRow._make, rows):
            found[row.subject_id] = (*found.get(row.subject_id, ()), row)
        return found

    def owners(self, emails: Sequence[str]) -> dict[str, str]:  # noqa: D102
        return dict(self.database.ask(_about("find_emails", emails))[0])

    def user_ids(self, *, rows: int) -> Iterator[list[str]]:  # noqa: D102
        after = ""
        while page := self.database.ask(Run(_QUERIES["page_of_ids"], [after, rows]))[0]:
            yield [user_id for (user_id,) in page]
            after = page[-1][0]

    def tables_in_use(self, ids: Sequence[str]) -> dict[str, list[str]]:  # noqa: D102
        used: dict[str, list[str]] = {}
        places = [
            (table, column)
            for table, column in self.database.ask(Run(_QUERIES["tables_of_users"]))[0]
            if table != "account"
        ]
        questions = [_uses(table, column, ids) for table, column in places]
        answers = self.database.ask(*questions) if questions else []
        for (table, _), rows in zip(places, answers, strict=True):
            for (user_id,) in rows:
                used.setdefault(user_id, []).append(table)
        return used

    def remove(self, ids: Sequence[str]) -> int:  # noqa: D102
        # Counted before: the answer to the deletion may be lost, and the deletion repeated.
        there = [user_id for (user_id,) in self.database.ask(_about("find_ids", ids))[0]]
        self.database.write(removal(ids, self.layout))
        return len(there)

    def count_users(self) -> int:  # noqa: D102
        return int(self.database.ask(Run(_QUERIES["count_users"]))[0][0][0])

    def ensure_account_index(self) -> bool:  # noqa: D102
        if self.database.ask(Run(_QUERIES["index_of_accounts"]))[0][0][0]:
            return False
        self.database.write([Run(_QUERIES["create_account_index"])])
        return True

    def drop_account_index(self) -> None:  # noqa: D102
        self.database.write([Run(_QUERIES["drop_account_index"])])

    def _are_there(
        self, users: Sequence[tuple[Any, ...]], accounts: Sequence[tuple[Any, ...]]
    ) -> bool:
        found = self.read([user[0] for user in users]).values()
        there = sorted(account for stored in found for account in stored.accounts)
        return sorted(stored.user for stored in found) == sorted(users) and there == sorted(
            accounts
        )


def _about(query: str, values: Sequence[str | None]) -> Run:
    return Run(_QUERIES[query], [json.dumps(values, ensure_ascii=False)])


def _uses(table: str, column: str, ids: Sequence[str]) -> Run:
    query = _QUERIES["uses"].format(table=ident(table), column=ident(column))
    return Run(query, [json.dumps(ids)])


def _wanted(change: Change) -> Stored | None:
    return Stored(change.user, tuple(sorted(change.accounts))) if change.user else None
