"""A change of one user as steps that all fail once somebody else has touched the user."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from migrator.auther.database import Insert, Run, Step
from migrator.auther.marks import MARK_COLUMNS, mark_row
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrator.auther.interface import AccountRow, Change, Stored
    from migrator.auther.schema import Layout

_QUERIES = load("migrator.auther", "sql_target.sql")


def steps_of(
    change: Change, *, layout: Layout, insert: Callable[[Sequence[AccountRow]], Insert]
) -> list[Step]:
    """Give the guards, then what is to be done.

    Args:
        change: Of one user.
        layout: Which tables there are.
        insert: Makes the step that inserts accounts.
    """
    steps: list[Step] = list(_guards(change.before))
    owner = change.before.user.id
    if change.user is None:
        return [*steps, *removal([owner], layout)]
    steps.append(Run(_QUERIES["update_user"], [*change.user[1:], owner]))
    steps.extend(_account_steps(change, insert))
    if not change.accounts:
        steps.append(Insert("verification", MARK_COLUMNS, [mark_row(change.user)], lenient=True))
    return steps


def removal(ids: Sequence[str], layout: Layout) -> list[Run]:
    """Give the steps that delete users with everything that hangs on them."""
    tables = ["users", "marks", *(["tuples"] if layout.tuples else [])]
    return [Run(_QUERIES[f"remove_{table}"], [json.dumps(ids)]) for table in tables]


def _guards(before: Stored) -> Iterator[Run]:
    yield Run(_QUERIES["guard_user"], [before.user.id, *before.user])
    yield Run(_QUERIES["guard_accounts"], [before.user.id, len(before.accounts)])
    for account in before.accounts:
        yield Run(_QUERIES["guard_account"], [account.id, *account])


def _account_steps(
    change: Change, insert: Callable[[Sequence[AccountRow]], Insert]
) -> Iterator[Step]:
    """Tokens and other columns that the import does not write stay as they are."""
    before = {account.id: account for account in change.before.accounts}
    after = {account.id: account for account in change.accounts}
    gone = [account_id for account_id in before if account_id not in after]
    if gone:
        yield Run(_QUERIES["remove_accounts"], [json.dumps(gone)])
    for account_id, account in after.items():
        if account_id in before and account != before[account_id]:
            yield Run(_QUERIES["update_account"], [*account, account_id])
    new = [account for account_id, account in after.items() if account_id not in before]
    if new:
        yield insert(new)
