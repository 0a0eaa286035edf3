"""How long others wait while a removal goes through its steps, beside a bare DROP in a database of the same content."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from migrator.core.sql import ident
from migrator.runner.removing.plans import kept_plan
from phases import p4_remove
from tests.parts.pgbench import Load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.phases.removal import Site

# By the users of the dump, who are there in any size.
_SOMEBODY = "\\set user random(1, 600)\n\\set identity random(1, 48)\n"
SCRIPTS = tuple(
    f"{_SOMEBODY}{query};\n"
    for query in (
        "SELECT id, email, name, updated_at FROM users WHERE id = :user",
        "UPDATE users SET updated_at = now() WHERE id = :user",
        "INSERT INTO sign_ins (user_id, identity_id) VALUES (:user, :identity)",
    )
)
READ = ("users", "identities", "push_tokens")
# What an application keeps, and what points to a table that goes.
_SIGN_INS = """CREATE TABLE sign_ins (
    id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, identity_id bigint NOT NULL REFERENCES identities)"""
_MORE = (
    """INSERT INTO users (id, email, encrypted_password, created_at, updated_at)
    SELECT 100000 + n, 'more' || n || '@example.org', '$2a$12$' || md5(n::text) || left(md5(n::text), 21), now(), now()
    FROM generate_series(1, {more}) AS n""",
    """INSERT INTO identities (id, user_id, provider, uid, created_at, updated_at)
    SELECT id, id, 'github', md5(id::text), now(), now() FROM users WHERE id > 100000""",
    "ANALYZE",
)
_TOLERANCE, _NOISE_S = 1.25, 0.05


@dataclass(frozen=True)
class Stall:
    """What others had of one step.

    Attributes:
        what: The step or the bare statement.
        took_s: How long it took, its pauses included.
        longest_s: The longest that a query waited for its answer meanwhile.
        deadlock: The server gave it up: somebody waited for it who was waited for by it.
    """

    what: str
    took_s: float
    longest_s: float
    deadlock: bool

    def holds(self, budget_s: float) -> bool:
        """Tell whether nobody waited longer than for one lock timeout, with 25 % and 50 ms for the machine."""
        return self.longest_s <= bound_s(budget_s)


@dataclass(frozen=True)
class Measured:
    """What others had of all of it.

    Attributes:
        queries: How many they sent.
        refused: How many of those met an error.
    """

    stalls: tuple[Stall, ...]
    queries: int
    refused: int


def bound_s(budget_s: float) -> float:
    """Give how long a query may take where a step may wait so long for a lock."""
    return budget_s * _TOLERANCE + _NOISE_S


def fill(dsn: str, users: int) -> None:
    """Bring the Devise dump's tables to a number of users, and add one that points to what goes."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_SIGN_INS.encode())
        for statement in _MORE:
            connection.execute(statement.format(more=max(users - 600, 0)).encode())


def patient(site: Site, *, budget_s: float) -> Site:
    """The same migration, waiting so long for a lock and trying often."""
    remove = site.ctx.config.remove.model_copy(
        update={"lock_timeout": timedelta(seconds=budget_s), "lock_attempts": 100}
    )
    config = site.ctx.config.model_copy(update={"remove": remove})
    return replace(site, ctx=replace(site.ctx, config=config))


def of_the_steps(
    site: Site, folder: Path, *, stay_s: float, preserve_order: bool = False
) -> Measured:
    """Plan and go through all steps under load, each begun as a reader has just begun to stay."""
    made = p4_remove.plan(site.ctx, preserve_order=preserve_order)
    parts = [(step, partial(p4_remove.run, site.ctx, step)) for step in made.steps]
    return _measured(site.dsn, folder, parts, stay_s=stay_s)


def of_the_way_back(
    site: Site, folder: Path, *, stay_s: float, preserve_order: bool = False
) -> Measured:
    """Take all steps back under load, each begun as a reader has just begun to stay."""
    names = kept_plan(site.ctx).steps
    parts = [
        (
            f"back from {step}",
            partial(p4_remove.rollback, site.ctx, before, preserve_order=preserve_order),
        )
        for before, step in zip((None, *names), names, strict=False)
    ]
    return _measured(site.dsn, folder, parts[::-1], stay_s=stay_s)


def of_bare_drops(dsn: str, folder: Path, columns: Sequence[str], *, stay_s: float) -> Measured:
    """Drop the same tables and columns as one does without thinking of others."""
    dropped = ", ".join(f"DROP COLUMN {ident(column)}" for column in columns)
    with psycopg.connect(dsn, autocommit=True) as connection:
        statements = {
            "DROP TABLE … CASCADE": "DROP TABLE identities, push_tokens CASCADE",
            "ALTER TABLE … DROP COLUMN": f"ALTER TABLE users {dropped}",
        }
        drops = [(name, partial(_outcome, connection, sql)) for name, sql in statements.items()]
        return _measured(dsn, folder, drops, stay_s=stay_s)


def _outcome(connection: psycopg.Connection, statement: str) -> str:
    try:
        connection.execute(statement.encode())
    except psycopg.errors.DeadlockDetected:
        return "deadlock"
    return ""


def _measured(
    dsn: str, folder: Path, parts: Sequence[tuple[str, Callable[[], object]]], *, stay_s: float
) -> Measured:
    folder.mkdir()
    spans = {}
    with Load(dsn, folder, SCRIPTS, READ, stay_s=stay_s) as load:
        for name, run in parts:
            load.until_a_reader_holds()
            began_s = time.time()
            outcome = run()
            spans[name] = began_s, time.time(), outcome == "deadlock"
    return Measured(
        tuple(
            Stall(name, ended_s - began_s, load.longest_s(began_s, ended_s), deadlock)
            for name, (began_s, ended_s, deadlock) in spans.items()
        ),
        load.count,
        load.refused,
    )
