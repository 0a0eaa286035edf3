"""Listens whether somebody misses what was taken away, and proves each time that it would be heard."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from migrator.core.errors import DependencyError
from migrator.core.sql import ident
from migrator.metrics.server_log import Heard, ServerLog, control_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.runner.context import Context
    from migrator.sqlgen.planfile import PlanFile

SUBJECT, HEARD = "remove", "heard"
_TRIES = 50
_PAUSE_S = 0.1


def begin(ctx: Context, plan: PlanFile, connection: psycopg.Connection[Any]) -> None:
    """Listen from now on, forgetting what was heard before.

    Raises:
        DependencyError: The log cannot be read.
    """
    with _readable():
        _keep(ctx, plan, _log(ctx, plan, connection).begin())


def listen(
    ctx: Context, plan: PlanFile, connection: psycopg.Connection[Any]
) -> tuple[Heard, bool]:
    """Read the log on to a refusal that is planted first.

    Returns:
        What was heard since `begin`, and whether the planted refusal was.

    Raises:
        DependencyError: The log cannot be read.
    """
    log = _log(ctx, plan, connection)
    nonce = secrets.token_hex(8)
    plant(connection, nonce)
    heard = known(ctx, plan) or Heard(unproven="nobody listened from the beginning")
    for _ in range(_TRIES):
        with _readable():
            heard = log.listen(heard)
        _keep(ctx, plan, heard)
        if nonce in heard.controls or heard.unproven:
            break
        ctx.clock.sleep(_PAUSE_S)
    return heard, nonce in heard.controls


def known(ctx: Context, plan: PlanFile) -> Heard | None:
    """Give what was heard for a plan at the last look, None before the first."""
    found = ctx.state.checkpoints.get(SUBJECT, HEARD)
    if found is None or found["plan"] != plan.plan_id:
        return None
    return Heard.from_json(found["heard"])


def plant(connection: psycopg.Connection[Any], nonce: str) -> None:
    """Have the server refuse a statement of ours: a table that is not there, SQLSTATE 42P01."""
    try:
        connection.execute(f"SELECT FROM {ident(control_name(nonce))}".encode())
    except psycopg.errors.UndefinedTable:
        return


def _keep(ctx: Context, plan: PlanFile, heard: Heard) -> None:
    ctx.state.checkpoints.put(SUBJECT, HEARD, {"plan": plan.plan_id, "heard": heard.to_json()})


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DependencyError(
            f"the server's log {error.filename} cannot be read: {error.strerror}",
            hint="check [remove] server_log in migrator.toml and the files' rights, then try again",
        ) from error


def _log(ctx: Context, plan: PlanFile, connection: psycopg.Connection[Any]) -> ServerLog:
    prefix = connection.execute("SHOW log_line_prefix").fetchone()
    names = {label.partition(".")[2] for label in plan.tables} | set(plan.columns)
    return ServerLog(
        str(ctx.path(Path(ctx.config.remove.server_log))),
        prefix[0] if prefix else "",
        database=plan.database,
        names=names,
    )
