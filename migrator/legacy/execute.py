"""Runs emitted SQL files: transaction by transaction, waiting little, trying again, going on where a run stopped."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import psycopg
from psycopg import errors, pq
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from migrator.core.errors import (
    ConflictError,
    DependencyError,
    HeldError,
    MigratorError,
    RefusedError,
)
from migrator.core.redact import scrub
from migrator.legacy.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrator.core.units import Unit
    from migrator.legacy.postgres import PostgresConnection

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0

# What the guard schema raises, and what it means for the command.
REFUSALS: dict[str, type[MigratorError]] = {
    "MG001": ConflictError,  # lease
    "MG002": RefusedError,  # gate evidence
    "MG003": ConflictError,  # not the planned object
    "MG004": RefusedError,  # content differs from the archive
    "MG005": ConflictError,  # the catalog changed since the plan
    "MG006": ConflictError,  # order of steps
    "MG007": RefusedError,  # verify
    "MG008": HeldError,  # the scream window is unproven or not over
    "MG009": RefusedError,  # somebody was refused in it
}


@dataclass(frozen=True)
class Patience:
    """How often a unit is tried when a lock is not to be had.

    Attributes:
        attempts: 1 or more.
        sleep: Waits so many seconds.
    """

    attempts: int
    sleep: Callable[[float], None]


@contextmanager
def told(connection: PostgresConnection) -> Iterator[None]:
    """Turn what the guard schema or PostgreSQL refuses inside the block into one sentence.

    Raises:
        RefusedError: Evidence is missing or content differs.
        ConflictError: Another operator, another object or another order of steps.
        DependencyError: The server refused for another reason or the connection broke.
    """
    try:
        yield
    except psycopg.Error as error:
        _refuse(error, broken=connection.closed)


def run_unit(
    connection: PostgresConnection, unit: Unit, *, patience: Patience, oids: list[int]
) -> None:
    """Run one unit: killed or cut off at any point, it is done and recorded in the guard schema, or not done at all.

    Args:
        connection: In autocommit.
        unit: What is sent.
        patience: For locks.
        oids: Tables whose lock holders are named when patience ends.

    Raises:
        HeldError: A lock was not to be had.
        RefusedError: Evidence is missing or content differs.
        ConflictError: Another operator, another object or another order of steps.
        DependencyError: The server refused for another reason or the connection broke.
    """
    try:
        for attempt in attempts(patience):
            with attempt:
                _send(connection, unit)
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise HeldError(
            f"no lock for {unit.name} after {patience.attempts} tries; in the way: "
            + (_in_the_way(connection, oids) or "nobody any more"),
            hint="let those transactions end, then the same command: it goes on where it stopped",
        ) from error
    except psycopg.Error as error:
        _refuse(error, broken=connection.closed)


def attempts(patience: Patience) -> Retrying:
    """Give the tries for a lock."""
    # Full jitter: each pause is random between 0 and an upper bound that doubles.
    return Retrying(
        retry=retry_if_exception_type((errors.LockNotAvailable, errors.DeadlockDetected)),
        stop=stop_after_attempt(patience.attempts),
        wait=wait_random_exponential(multiplier=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S),
        sleep=patience.sleep,
        reraise=True,
    )


def _send(connection: PostgresConnection, unit: Unit) -> None:
    try:
        connection.execute(unit.text.encode())
    finally:
        if connection.pgconn.transaction_status in {
            pq.TransactionStatus.INTRANS,
            pq.TransactionStatus.INERROR,
        }:
            connection.execute("ROLLBACK")


def _in_the_way(connection: PostgresConnection, oids: list[int]) -> str:
    found = Guard(connection).in_the_way(oids)
    return "; ".join(
        f"pid {row['pid']} ({row['role']}, {row['application'] or 'no application name'}, "
        f"{row['state']} for {row['seconds']} s, last query {row['query_seconds']} s ago, holds {row['modes']}"
        f"{_waiting(row['waits_for'])})"
        for row in found
    )


def _waiting(pids: list[int]) -> str:
    return f", waits itself for pid {', '.join(map(str, pids))}" if pids else ""


def _refuse(error: psycopg.Error, *, broken: bool) -> NoReturn:
    said = error.diag.message_primary or type(error).__name__
    if refusal := REFUSALS.get(error.sqlstate or ""):
        raise refusal(said, hint=error.diag.message_hint or "migrator remove status") from error
    if broken or error.sqlstate is None:
        raise DependencyError(
            "the connection to the application's database broke",
            hint="the same command again: it goes on where it stopped",
        ) from error
    raise DependencyError(
        f"PostgreSQL refused ({error.sqlstate}): {scrub(said)}",
        hint="nothing of this transaction remains; migrator remove status tells where it stands",
    ) from error
