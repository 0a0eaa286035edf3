"""Changes of users as the few statements of one transaction, for all of them together.

Each user is taken hold of first, if nobody touched the user since it was read; what follows does
something only for those who are held, and the last statement lets go of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from migrator.auther.interface import AccountRow, TupleRow
from migrator.auther.ways.database import Insert, Run, pass_over
from migrator.auther.ways.marks import MARK_COLUMNS, mark_row
from migrator.auther.ways.schema import TUPLES
from migrator.core.queries import load
from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrator.auther.interface import Change
    from migrator.auther.ways.schema import Layout

_QUERIES = load("migrator.auther.ways", "sql_target.sql")
_ACCOUNT_OWNER = AccountRow._fields.index("user_id")
_TUPLE_OWNER = TupleRow._fields.index("subject_id")


def steps_of(
    changes: Sequence[Change],
    *,
    layout: Layout,
    insert: Callable[[Sequence[AccountRow]], Insert],
) -> list[Run]:
    """Give the statements; the first one writes one row for each user who is changed.

    Args:
        changes: Of different users.
        layout: Which tables there are.
        insert: Makes the step that inserts accounts.
    """
    return [
        Run(_QUERIES["claim"], [_json([_claim(change) for change in changes])]),
        *_account_steps(changes, insert),
        *_session_steps(changes, layout),
        *(_tuple_steps(changes) if layout.tuples else ()),
        *_removal_steps(changes, layout),
        Run(_QUERIES["release"], [_json([_times(change) for change in changes])]),
    ]


def removal(ids: Sequence[str], layout: Layout) -> list[Run]:
    """Give the steps that delete users with everything that hangs on them."""
    tables = ["users", "marks", *(["tuples"] if layout.tuples else [])]
    return [Run(_QUERIES[f"remove_{table}"], [json.dumps(ids)]) for table in tables]


def _claim(change: Change) -> list[Any]:
    before = change.before
    known = {account.id for account in before.accounts}
    new = [account.id for account in change.accounts if account.id not in known]
    return [*before.user, *(change.user or before.user)[1:], before.accounts, new]


def _times(change: Change) -> tuple[str, int]:
    user = change.user or change.before.user
    return user.id, user.updated_at


def _account_steps(
    changes: Sequence[Change], insert: Callable[[Sequence[AccountRow]], Insert]
) -> Iterator[Run]:
    """Tokens and other columns that the import does not write stay as they are."""
    gone: list[str] = []
    altered: list[AccountRow] = []
    added: list[AccountRow] = []
    marks: list[tuple[Any, ...]] = []
    for change in changes:
        if change.user is None or change.accounts == change.before.accounts:
            continue
        before = {account.id: account for account in change.before.accounts}
        kept = {account.id for account in change.accounts}
        gone += before.keys() - kept
        altered += [a for a in change.accounts if a.id in before and a != before[a.id]]
        added += [a for a in change.accounts if a.id not in before]
        if not change.accounts:
            marks.append((*mark_row(change.user), change.user.id))
    if gone:
        yield Run(_held("remove_accounts", '"account"."user_id"'), [_json(gone)])
    if altered:
        yield Run(_held("update_accounts", f"c.value ->> {_ACCOUNT_OWNER}"), [_json(altered)])
    if added:
        yield _insertion(insert(added), owner=_ACCOUNT_OWNER)
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
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
