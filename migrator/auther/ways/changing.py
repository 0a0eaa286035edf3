"""Changes of users as the few statements of one transaction, for all of them together.

Each user is taken hold of first, if nobody touched the user since it was read; what follows does
something only for those who are held, and the last statement lets go of them. Where nothing follows, the
first statement is all there is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from migrator.auther.interface import AccountRow, TupleRow
from migrator.auther.ways.database import Each, Insert, Run, pass_over
from migrator.auther.ways.marks import MARK_COLUMNS, mark_row
from migrator.auther.ways.schema import TUPLES
from migrator.core.queries import load
from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrator.auther.interface import Change, UserRow
    from migrator.auther.ways.schema import Layout

_QUERIES = load("migrator.auther.ways", "sql_target.sql")
_ACCOUNT_OWNER = AccountRow._fields.index("user_id")
_WHOSE = slice(1, _ACCOUNT_OWNER + 1)
_SAID = _ACCOUNT_OWNER + 1
_TUPLE_OWNER = TupleRow._fields.index("subject_id")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Reach(Enum):
    """How far changes reach; each kind has statements of its own."""

    ROW = auto()  # Nothing but the row of a user with one account.
    PAIR = auto()  # That row, and what the account says.
    MORE = auto()
    NAMES = auto()  # Address or user name too, which somebody else may have.


def reach_of(change: Change) -> Reach:
    """Tell how far a change reaches."""
    if _renames(change):
        return Reach.NAMES
    before, accounts = change.before.accounts, change.accounts
    if len(before) != 1 or change.granted or change.revoked or change.ends_sessions:
        return Reach.MORE
    if accounts == before:
        return Reach.ROW
    is_same = len(accounts) == 1 and accounts[0][:_SAID] == before[0][:_SAID]
    return Reach.PAIR if is_same else Reach.MORE


def steps_of(
    changes: Sequence[Change],
    *,
    layout: Layout,
    insert: Callable[[Sequence[AccountRow]], Insert],
) -> list[Run | Each]:
    """Give the statements; the first one writes one row for each user who is changed.

    Args:
        changes: Of different users, all of the same reach.
        layout: Which tables there are.
        insert: Makes the step that inserts accounts.
    """
    reach = reach_of(changes[0])
    if reach is Reach.ROW:
        return [_rewrites(changes)]
    if reach is Reach.PAIR:
        return [_renewals(changes), _rewrites(changes)]
    return [
        _claims(changes),
        *_account_steps(changes, insert),
        *_session_steps(changes, layout),
        *(_tuple_steps(changes) if layout.tuples else ()),
        *_removal_steps(changes, layout),
        Each(_QUERIES["release"], [_times(change) for change in changes]),
    ]


def _renames(change: Change) -> bool:
    if change.user is None:
        return False
    now, before = change.user, change.before.user
    return (
        now.email != before.email
        or now.username != before.username
        or now.display_username != before.display_username
    )


def removal(ids: Sequence[str], layout: Layout) -> list[Run]:
    """Give the steps that delete users with everything that hangs on them."""
    tables = ["users", "marks", *(["tuples"] if layout.tuples else [])]
    return [Run(_QUERIES[f"remove_{table}"], [json.dumps(ids)]) for table in tables]


def _renewals(changes: Sequence[Change]) -> Each:
    return Each(
        _QUERIES["renew_account"],
        [
            [*change.before.user, *change.before.accounts[0], *change.accounts[0][_SAID:]]
            for change in changes
        ],
    )


def _rewrites(changes: Sequence[Change]) -> Each:
    """Write users whose account is as it was read, or as it was just written."""
    sql = _claiming(time=_QUERIES["new_time"], accounts=_QUERIES["account_is"])
    return Each(sql, [[*_rows(change), *change.accounts[0]] for change in changes])


def _claims(changes: Sequence[Change]) -> Each:
    claims = [[*_rows(change), _json(change.before.accounts)] for change in changes]
    new = [_new_accounts(change) for change in changes]
    if any(new):
        claims = [[*claim, _json(ids)] for claim, ids in zip(claims, new, strict=True)]
    sql = _claiming(
        time=_QUERIES["held_time"],
        accounts=_QUERIES["accounts_as_read"],
        renaming=_QUERIES["renaming"] if any(map(_renames, changes)) else "",
        new_ones=_QUERIES["new_ones"] if any(new) else "",
    )
    return Each(sql, claims)


def _claiming(*, time: str, accounts: str, renaming: str = "", new_ones: str = "") -> str:
    parts = {"time": time, "accounts": accounts, "renaming": renaming, "new_ones": new_ones}
    sql = _QUERIES["claim"]
    for name, text in parts.items():
        # The places of the values are left for later.
        sql = sql.replace(f"{{{name}}}", text)
    return sql


def _rows(change: Change) -> list[Any]:
    before = change.before.user
    return [*before, *(change.user or before)[1:]]


def _new_accounts(change: Change) -> list[str]:
    known = {account.id for account in change.before.accounts}
    return [account.id for account in change.accounts if account.id not in known]


def _times(change: Change) -> tuple[str, int]:
    user = change.user or change.before.user
    return user.id, user.updated_at


@dataclass
class _Accounts:
    """What becomes of accounts: `moved` ones change their owner or provider, `altered` ones do not.

    Attributes:
        losers: Who loses one and stays: perhaps the last of ours, so they get the mark.
    """

    gone: list[str] = field(default_factory=list)
    altered: list[AccountRow] = field(default_factory=list)
    moved: list[AccountRow] = field(default_factory=list)
    added: list[AccountRow] = field(default_factory=list)
    losers: list[UserRow] = field(default_factory=list)

    def take(self, change: Change) -> None:
        before = {account.id: account for account in change.before.accounts}
        gone = before.keys() - {account.id for account in change.accounts}
        self.gone += gone
        if gone and change.user is not None:
            self.losers.append(change.user)
        for account in change.accounts:
            was = before.get(account.id)
            if was is None:
                self.added.append(account)
            elif was != account:
                (self.altered if was[_WHOSE] == account[_WHOSE] else self.moved).append(account)


def _account_steps(
    changes: Sequence[Change], insert: Callable[[Sequence[AccountRow]], Insert]
) -> Iterator[Run | Each]:
    """Tokens and other columns that the import does not write stay as they are."""
    accounts = _Accounts()
    changes = [c for c in changes if c.user is not None and c.accounts != c.before.accounts]
    for change in changes:
        accounts.take(change)
    marks = [(*mark_row(user), user.id) for user in accounts.losers]
    if accounts.gone:
        yield Run(_held("remove_accounts", '"account"."user_id"'), [_json(accounts.gone)])
    # To set whose account it is, be it to the same, writes an index and looks for the user.
    for rows, moving in ((accounts.altered, ""), (accounts.moved, _QUERIES["moving"])):
        if rows:
            held = _QUERIES["held"].format(owner=f"{{v[{_ACCOUNT_OWNER}]}}")
            sql = _QUERIES["update_accounts"].replace("{held}", held).replace("{moving}", moving)
            yield Each(sql, rows)
    if accounts.added:
        yield _insertion(insert(accounts.added), owner=_ACCOUNT_OWNER)
    if marks:
        yield _insertion(
            Insert("verification", MARK_COLUMNS, marks, lenient=True), owner=len(MARK_COLUMNS)
        )


def _session_steps(changes: Sequence[Change], layout: Layout) -> Iterator[Run]:
    ended = [change.before.user.id for change in changes if change.ends_sessions]
    if ended:
        for table in (*layout.tokens, "session"):
            yield _of_users(table, "user_id", ended)


def _tuple_steps(changes: Sequence[Change]) -> Iterator[Run]:
    revoked = [tuple_id for change in changes for tuple_id in change.revoked]
    granted = [row for change in changes for row in change.granted]
    if revoked:
        yield Run(_held("revoke", '"access_tuples"."subject_id"'), [_json(revoked)])
    if granted:
        step = Insert(TUPLES, TupleRow._fields, granted, lenient=True)
        yield _insertion(step, owner=_TUPLE_OWNER)


def _removal_steps(changes: Sequence[Change], layout: Layout) -> Iterator[Run]:
    ids = [change.before.user.id for change in changes if change.user is None]
    if ids:
        yield Run(_QUERIES["remove_held_marks"], [_json(ids)])
        if layout.tuples:
            yield _of_users(TUPLES, "subject_id", ids)
        yield _of_users("user", "id", ids)


def _held(query: str, owner: str) -> str:
    return _QUERIES[query].format(held=_QUERIES["held"].format(owner=owner))


def _insertion(step: Insert, *, owner: int) -> Run:
    """Insert rows of users who are held; `owner` is the place of the user's id in a row."""
    sql = _QUERIES["insert_held"].format(
        table=ident(step.table),
        columns=", ".join(map(ident, step.columns)),
        values=", ".join(f"c.value ->> {place}" for place in range(len(step.columns))),
        held=_QUERIES["held"].format(owner=f"c.value ->> {owner}"),
        conflict=pass_over() if step.lenient else "",
    )
    return Run(sql, [_json(step.rows)])


def _of_users(table: str, column: str, ids: Sequence[str]) -> Run:
    sql = _QUERIES["remove_of_users"].format(
        table=ident(table), column=ident(column), held_among=_QUERIES["held_among"]
    )
    return Run(sql, [_json(ids)])


def _json(value: object) -> str:
    return _ENCODER.encode(value)
