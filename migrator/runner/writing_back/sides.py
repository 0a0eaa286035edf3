"""Both sides of the write-back, opened."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.auther.plugin.events import DatabaseFeed, EndpointFeed
from migrator.auther.plugin.seal import SealKey
from migrator.auther.ways.sql_target import SqlTarget
from migrator.config.plugin import FOLLOW
from migrator.core.errors import UsageError
from migrator.core.stage import Stage
from migrator.legacy.connect import open_database, refuse_other_databases
from migrator.legacy.identity import IdentityTable
from migrator.legacy.users_write import UsersTable
from migrator.legacy.writable.registry import WRITABLE
from migrator.legacy.written_back import WrittenBack
from migrator.runner import stages
from migrator.runner.importing.ends import open_target
from migrator.runner.writing_back.applying import Applier, Tables
from migrator.runner.writing_back.making import made_as, refuse_unread, schemes_taken
from migrator.runner.writing_back.material import Material

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.auther.plugin.events import EventFeed
    from migrator.legacy.connection import Connection
    from migrator.runner.context import Context


@contextmanager
def open_tables(ctx: Context, *, writing: bool) -> Iterator[Tables]:
    """Open the application's side.

    Args:
        ctx: The surroundings.
        writing: Users are going to be written: our role's rights are looked at first.

    Raises:
        UsageError: Nobody was imported yet, or a table or column is missing.
        RefusedError: Our role may not write the users table, and the hint is the GRANT; or the
            application does not read what plugin.write_back makes.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    settings = ctx.config.legacy
    with _open_users(ctx, writing=writing) as (connection, users):
        shape = users.columns.table
        if not IdentityTable(connection, shape, source=settings.model).exists():
            raise UsageError("nobody was imported yet", hint="migrator import run")
        log = WrittenBack(connection, shape, source=settings.model)
        if writing:
            users.check_rights(inserting=ctx.config.write_back.new_users)
            _refuse_unread(ctx, users)
            log.create()
        yield Tables(log, users, settings.model)


@contextmanager
def _open_users(ctx: Context, *, writing: bool) -> Iterator[tuple[Connection, UsersTable]]:
    settings = ctx.config.legacy
    kind = WRITABLE.get(settings.kind)
    if kind is None:
        raise UsageError(
            f'legacy.kind is "{settings.kind}": nothing can be written back there,'
            f" only with {', '.join(WRITABLE)}",
            hint="stop sign-ups and password changes at Auther for a rollback",
        )
    dsn = ctx.reveal(settings.dsn)
    if kind.on_postgres_only:
        refuse_other_databases(dsn, doing=f'legacy.kind = "{settings.kind}"')
    with open_database(dsn, read_only=not writing) as connection:
        yield connection, UsersTable(connection, kind.describe(connection, settings))


def new_passwords(ctx: Context) -> str:
    """Give scheme and cost of what the plugin makes of new passwords.

    Raises:
        UsageError: A table or column is missing, or the framework knows no such values.
        RefusedError: The application's rows have no such values, or none that could be made.
        DependencyError: The database cannot be reached, or fails.
    """
    wanted = ctx.config.plugin.write_back
    if wanted != FOLLOW and not ctx.config.legacy.has_hashers_by_setting:
        return wanted
    with _open_users(ctx, writing=False) as (_, users):
        _refuse_unread(ctx, users)
        return made_as(wanted, users)


def _refuse_unread(ctx: Context, users: UsersTable) -> None:
    by_rows = ctx.config.legacy.has_hashers_by_setting
    refuse_unread(ctx.config.plugin.write_back, users, by_rows=by_rows)


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
    wanted = ctx.config.plugin.write_back
    key = SealKey(ctx.reveal(ctx.config.plugin.seal_key)) if wanted else None
    return Applier(
        tables,
        Material(key, schemes_taken(wanted, tables.users)),
        ctx.config.write_back,
        ctx.clock,
        in_legacy=is_legacy(ctx),
    )


def is_legacy(ctx: Context) -> bool:
    """Tell whether everybody is told to sign in at the application."""
    return stages.position(stages.current(ctx)).stage is Stage.LEGACY
