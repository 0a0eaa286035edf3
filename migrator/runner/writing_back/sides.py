"""Both sides of the write-back, opened."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.auther.plugin.events import DatabaseFeed, EndpointFeed
from migrator.auther.plugin.seal import SealKey
from migrator.auther.ways.sql_target import SqlTarget
from migrator.core.errors import UsageError
from migrator.core.stage import Stage
from migrator.legacy.columns import find_columns
from migrator.legacy.connect import describe_table, open_database
from migrator.legacy.identity import IdentityTable
from migrator.legacy.users_write import UsersTable
from migrator.legacy.written_back import WrittenBack
from migrator.runner import stages
from migrator.runner.importing.ends import open_target
from migrator.runner.writing_back.applying import Applier, Tables
from migrator.runner.writing_back.material import Material

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.auther.plugin.events import EventFeed
    from migrator.runner.context import Context


@contextmanager
def open_tables(ctx: Context, *, writing: bool) -> Iterator[Tables]:
    """Open the application's side.

    Args:
        ctx: The surroundings.
        writing: Users are going to be written: our role's rights are looked at first.

    Raises:
        UsageError: Nobody was imported yet, or a table or column is missing.
        RefusedError: Our role may not write the users table; the hint is the GRANT.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    settings = ctx.config.legacy
    if settings.kind != "devise":
        raise UsageError(
            f'legacy.kind is "{settings.kind}": only a Devise table can be written back to',
            hint="stop sign-ups and password changes at Auther for a rollback",
        )
    with open_database(ctx.reveal(settings.dsn), read_only=not writing) as connection:
        shape = describe_table(connection, settings.users_table, key="legacy.users_table")
        users = UsersTable(connection, find_columns(shape, settings.columns))
        if not IdentityTable(connection, shape, source=settings.model).exists():
            raise UsageError("nobody was imported yet", hint="migrator import run")
        log = WrittenBack(connection, shape, source=settings.model)
        if writing:
            wanted = ctx.config.write_back
            users.check_rights(
                ("locked_at", "deleted_at", "confirmed_at"), inserting=wanted.new_users
            )
            log.create()
        yield Tables(log, users, settings.model)


@contextmanager
def open_feed(ctx: Context) -> Iterator[EventFeed]:
    """Open the way to what changed at Auther.

    Raises:
        UsageError: An address or a secret is missing.
        DependencyError: Auther's database cannot be opened.
    """
    if ctx.config.write_back.events == "database":
        with open_target(ctx, writing=True, briefly=True) as target:
            if not isinstance(target, SqlTarget):
                raise UsageError(
                    "auther.kind is no database, so write_back.events cannot be one",
                    hint='set write_back.events = "endpoint" in migrator.toml',
                )
            yield DatabaseFeed(target.database, ctx.clock)
        return
    if not ctx.config.auther.base_url:
        raise UsageError("auther.base_url is empty", hint="set it in migrator.toml")
    feed = EndpointFeed(ctx.config.auther.api, ctx.reveal(ctx.config.plugin.events_secret))
    try:
        yield feed
    finally:
        feed.close()


def make_applier(ctx: Context, tables: Tables) -> Applier:
    """Put together what writes changes, for the stage that holds now.

    Raises:
        UsageError: There is no key, or none that can be read, for what the plugin seals.
    """
    scheme = ctx.config.plugin.write_back.partition(":")[0]
    key = SealKey(ctx.reveal(ctx.config.plugin.seal_key)) if scheme else None
    return Applier(
        tables,
        Material(key, scheme),
        ctx.config.write_back,
        ctx.clock,
        in_legacy=is_legacy(ctx),
    )


def is_legacy(ctx: Context) -> bool:
    """Tell whether everybody is told to sign in at the application."""
    return stages.position(stages.current(ctx)).stage is Stage.LEGACY
