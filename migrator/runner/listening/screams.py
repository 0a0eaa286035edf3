"""Listens whether somebody misses what was taken away, and proves each time that it would be heard."""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from migrator.core.errors import DependencyError
from migrator.core.sql import ident
from migrator.metrics.server_log import Heard, ServerLog, control_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.runner.context import Context

SUBJECT, LISTENING = "remove", "listening"
_TRIES = 50
_PAUSE_S = 0.1


@dataclass(frozen=True)
class Listening:
    """What is listened for, and what was heard by the last look.

    Attributes:
        plan_id: Of the removal.
        names: Tables and columns.
    """

    plan_id: str
    database: str
    names: tuple[str, ...]
    heard: Heard


def begin(
    ctx: Context,
    connection: psycopg.Connection[Any],
    *,
    plan_id: str,
    database: str,
    names: tuple[str, ...],
) -> None:
    """Listen from now on, forgetting what was heard before.

    Raises:
        DependencyError: The log cannot be read.
    """
    wanted = Listening(plan_id, database, names, Heard())
    with _readable():
        heard = _log(ctx, connection, wanted).begin()
    _keep(ctx, wanted, heard)


def end(ctx: Context) -> None:
    """Listen no more."""
    ctx.state.checkpoints.drop(SUBJECT, LISTENING)


def listen(
    ctx: Context, connection: psycopg.Connection[Any], wanted: Listening
) -> tuple[Heard, bool]:
    """Read the log on to two refusals that are planted first, of a table and of a column.

    Returns:
        What was heard since `begin`, and whether the planted refusals were.

    Raises:
        DependencyError: The log cannot be read.
    """
    log, heard = _log(ctx, connection, wanted), wanted.heard
    planted = {secrets.token_hex(8), secrets.token_hex(8)}
    plant(connection, *planted)
    for _ in range(_TRIES):
        with _readable():
            heard = log.listen(heard)
        _keep(ctx, wanted, heard)
        if planted <= set(heard.controls) or heard.unproven:
            break
        ctx.clock.sleep(_PAUSE_S)
    return heard, planted <= set(heard.controls)


def known(ctx: Context) -> Listening | None:
    """Give what is listened for and what was heard, None before `begin`."""
    found = ctx.state.checkpoints.get(SUBJECT, LISTENING)
    if found is None:
        return None
    return Listening(
        found["plan_id"],
        found["database"],
        tuple(found["names"]),
        Heard.from_json(found["heard"]),
    )


def plant(connection: psycopg.Connection[Any], of_table: str, of_column: str) -> None:
    """Have the server refuse two statements of ours: a table and a column that are not there, SQLSTATE 42P01 and 42703."""
    with suppress(psycopg.errors.UndefinedTable):
        connection.execute(f"SELECT FROM {ident(control_name(of_table))}".encode())
    with suppress(psycopg.errors.UndefinedColumn):
        connection.execute(f"SELECT {ident(control_name(of_column))}".encode())


def _keep(ctx: Context, wanted: Listening, heard: Heard) -> None:
    kept = {**vars(wanted), "names": list(wanted.names), "heard": heard.to_json()}
    ctx.state.checkpoints.put(SUBJECT, LISTENING, kept)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DependencyError(
            f"the server's log {error.filename} cannot be read: {error.strerror}",
            hint="check [remove] server_log in migrator.toml and the files' rights, then try again",
        ) from error


def _log(ctx: Context, connection: psycopg.Connection[Any], wanted: Listening) -> ServerLog:
    prefix = connection.execute("SHOW log_line_prefix").fetchone()
    return ServerLog(
        str(ctx.path(Path(ctx.config.remove.server_log))),
        prefix[0] if prefix else "",
        database=wanted.database,
        names=wanted.names,
    )
