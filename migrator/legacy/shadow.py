"""What the shims wrote down of the shadow check: Auther's answers to passwords that Devise accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from migrator.core.sql import ident
from migrator.legacy.connect import compose, wrapped

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.legacy.connection import Connection
    from migrator.legacy.interface import TableShape

TABLE = "migrator_shadow"


class Mismatch(NamedTuple):
    """A user whose legacy password Auther refused.

    Attributes:
        reason: The plugin's word for why, empty when the password was simply wrong.
    """

    pk: str
    reason: str
    seen_at: datetime


@dataclass(frozen=True)
class ShadowChecks:
    """The newest answer for each user who signed in at the legacy form.

    Attributes:
        users: Users checked.
        mismatched: Of those, the ones that Auther refused at their last check.
        checks: Checks of all these users together.
        newest: When the last one was made, None before the first.
        shown: The newest mismatches, at most as many as asked for.
    """

    users: int = 0
    mismatched: int = 0
    checks: int = 0
    newest: datetime | None = None
    shown: tuple[Mismatch, ...] = ()


def read_shadow(
    connection: Connection, users: TableShape, *, source: str, shown: int
) -> ShadowChecks:
    """Read what is there.

    Args:
        connection: To the application's database.
        users: The users table, beside which ours lie.
        source: The legacy model.
        shown: How many mismatches to give at most.

    Returns:
        All zero while the table does not exist.

    Raises:
        DependencyError: The database failed.
    """
    queries = connection.queries("shadow.sql")
    table = ident(users.schema, TABLE)
    with wrapped("reading migrator_shadow"):
        place = {"table": table, "schema": users.schema, "name": TABLE}
        exists = connection.execute(queries["exists"].encode(), place).fetchone()
        if not exists or not exists[0]:
            return ShadowChecks()
        totals = connection.execute(
            compose(queries["totals"], shadow=table), {"source": source}
        ).fetchone()
        rows = connection.execute(
            compose(queries["mismatches"], shadow=table), {"source": source, "rows": shown}
        ).fetchall()
    checked, mismatched, checks, newest = totals or (0, 0, 0, None)
    return ShadowChecks(checked, mismatched, checks, newest, tuple(Mismatch(*row) for row in rows))
