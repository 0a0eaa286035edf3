"""Tells plain users who are in every field as they have to be from all others, row by row. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.auther.mapping.plain import Columns
from migrator.legacy.identity import lines_of_plain, read_claims

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.auther.interface import Mapped
    from migrator.auther.ways.bare import Rows
    from migrator.runner.importing.batch import Batch


def unlike(batch: Batch, held: frozenset[str], found: Rows) -> list[int]:
    """Find the plain users of a page who have to be compared field by field.

    All others are ours by `migrator_identity`, were never switched over, and have exactly the user
    row and the one account that the import would write today.

    Args:
        batch: A page.
        held: The lines that `migrator_identity` holds of it.
        found: What is at Auther of the plain users.

    Returns:
        Their places among the plain users.
    """
    if batch.sample is None:
        return []
    there, only = {row[0]: row for row in found.users}, _only_accounts(found.accounts)
    ids, lines = batch.columns.ids, lines_of_plain(batch.claims)
    users, accounts = (rows.rows() for rows in batch.sample.both(batch.columns))
    found_users, found_accounts = list(map(there.get, ids)), list(map(only.get, ids))
    # Nearly every page is like this, and lists are compared much faster than one by one.
    if users == found_users and accounts == found_accounts and held.issuperset(lines):
        return []
    pairs = zip(users, found_users, accounts, found_accounts, lines, strict=True)
    return [
        place
        for place, (user, found_user, account, found_account, line) in enumerate(pairs)
        if user != found_user or account != found_account or line not in held
    ]


def _only_accounts(accounts: list[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Give accounts by owner, of those who have no more than one."""
    only = {row[3]: row for row in accounts}
    if len(only) < len(accounts):
        seen: set[str] = set()
        for row in accounts:
            if row[3] in seen:
                only.pop(row[3], None)
            seen.add(row[3])
    return only


def mapped_at(batch: Batch, places: Sequence[int]) -> list[Mapped]:
    """Give some of the plain users of a page as `to_rows` would have."""
    if batch.sample is None or not places:
        return []
    kept: list[Any] = [[column[at] for at in places] for column in batch.columns]
    columns, claims = Columns(*kept), read_claims(batch.claims)
    chosen = [claims[at] for at in places]
    prints = [claim.fingerprint or "" for claim in chosen]
    return batch.sample.mapped(columns, pks=[claim.pk for claim in chosen], prints=prints)
