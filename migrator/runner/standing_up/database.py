"""Auther's database, for what is neither a user nor an account."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.auther.ways.database import Run
from migrator.auther.ways.sql_target import SqlTarget
from migrator.core.errors import MigratorError, RefusedError
from migrator.core.queries import load
from migrator.runner.importing.ends import open_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.runner.context import Context


@contextmanager
def open_database(ctx: Context, *, writing: bool) -> Iterator[SqlTarget]:
    """Open the database behind `[auther]`.

    Raises:
        RefusedError: The configured way in is none, or the tables are unknown.
        UsageError: There is none.
        DependencyError: It cannot be reached, or fails while the block runs.
    """
    with open_target(ctx, writing=writing, briefly=True) as target:
        if not isinstance(target, SqlTarget):
            raise RefusedError(
                f'[auther] kind = "{ctx.config.auther.kind}" reaches no database',
                hint='run this once with kind = "libsql" or "sqlite"',
            )
        yield target


def has_account_index(ctx: Context) -> bool | None:
    """Tell whether accounts are found by their user without reading all; None when nobody knows."""
    query = load("migrator.runner.standing_up", "database.sql")["account_indexes"]
    try:
        with open_database(ctx, writing=False) as target:
            return bool(target.database.ask(Run(query))[0][0][0])
    except MigratorError:
        return None


def remove_user(ctx: Context, user_id: str) -> bool:
    """Take a test user out again; tell whether that worked."""
    try:
        with open_target(ctx, writing=True, briefly=True) as target:
            return target.remove([user_id]) == 1
    except MigratorError:
        return False
