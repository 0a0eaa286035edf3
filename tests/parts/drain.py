"""A migration in the drain on real parts: sessions and heartbeats in PostgreSQL, instances with counters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from migrator.config.load import load
from migrator.core.clock import SystemClock, iso
from migrator.core.progress import Progress
from migrator.core.stage import Stage, StageDocument
from migrator.runner.context import Context, make_context
from migrator.runner.gating.stores import session_store
from migrator.runner.stages import remember
from migrator.state.ledger import GENESIS
from tests.parts.shim_process import CONTROL_SECRET, METRICS_TOKEN, ShimProcess

if TYPE_CHECKING:
    from migrator.core.clock import Clock

SESSIONS = Path(__file__).parents[1] / "metrics" / "sessions.json"
BY_NAME = {row["name"]: row["data"] for row in json.loads(SESSIONS.read_text())}
TABLES = """
CREATE TABLE sessions (
  id bigserial PRIMARY KEY, session_id character varying NOT NULL UNIQUE, data text,
  created_at timestamp NOT NULL DEFAULT now(), updated_at timestamp NOT NULL DEFAULT now());
CREATE TABLE migrator_instance (
  instance text PRIMARY KEY, build text NOT NULL, baked text NOT NULL, stage text NOT NULL,
  epoch bigint NOT NULL, source text NOT NULL, legacy_capable boolean NOT NULL,
  seen_at timestamptz NOT NULL);
"""
CONFIG = """
[migration]
name = "shop"
key = "env:MIGRATION_KEY"
[legacy]
dsn = "env:LEGACY_DATABASE_URL"
session_ttl = "1d"
[auther]
database = "auther.db"
[import]
verified_when = "confirmed"
[stage]
signing_key = "file:stage.key"
expected_instances = ["web-1", "web-2"]
heartbeat_within = "1h"
[drain]
shims = {shims}
metrics_token = "env:MIGRATOR_METRICS_TOKEN"
control_secret = "env:MIGRATOR_CONTROL_SECRET"
interval = "1s"
statement_timeout = "5s"
{counters}
"""
QUIET = """
[[gates]]
name = "quiet"
before = "auther"
measure = "legacy_requests"
at_most = 0
span = "0.4s"
interval = "0.2s"
"""
NO_SESSIONS = """
[[gates]]
name = "no-sessions"
before = "auther"
measure = "legacy_sessions"
at_most = 0
consecutive = 1
span = "0s"
interval = "1s"
"""


@dataclass(frozen=True)
class Drain:
    """A folder with a configuration, its database, its two instances.

    Attributes:
        counters: What else stands in [drain], and sections below it.
    """

    root: Path
    dsn: str
    shims: tuple[ShimProcess, ...]
    counters: str = ""

    @property
    def env(self) -> dict[str, str]:
        """What the operator has set."""
        return {
            "LEGACY_DATABASE_URL": self.dsn,
            "MIGRATOR_METRICS_TOKEN": METRICS_TOKEN,
            "MIGRATOR_CONTROL_SECRET": CONTROL_SECRET,
        }

    def configure(self, gates: str) -> None:
        """Write migrator.toml with these gates."""
        addresses = json.dumps([shim.address for shim in self.shims])
        (self.root / "migrator.toml").write_text(
            CONFIG.format(shims=addresses, counters=self.counters) + gates
        )

    def context(self, *, clock: Clock | None = None) -> Context:
        """Open the context as a command does."""
        config = load(self.root / "migrator.toml")
        return make_context(
            config, root=self.root, clock=clock or SystemClock(), progress=Progress()
        )

    def prepare(self) -> None:
        """Make the tables, report both instances, begin the drain."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(TABLES)
        for shim in self.shims:
            self.report(shim.instance)
        self.configure(QUIET)
        self.begin(Stage.DRAIN)

    def begin(self, stage: Stage, *, legacy_accept_until: str | None = None) -> None:
        """Remember a stage as if its document had been published now."""
        ctx = self.context()
        remember(
            ctx,
            StageDocument(
                namespace="shop",
                epoch=7,
                stage=stage,
                percent=100,
                salt="00",
                issued_at=iso(ctx.clock.now()),
                ledger_head=GENESIS,
                ledger_length=0,
                legacy_accept_until=legacy_accept_until,
            ),
        )

    def report(self, instance: str) -> None:
        """Write an instance's heartbeat."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(
                "INSERT INTO migrator_instance VALUES (%s, '1', 'dual', 'drain', 7, 'live', true, now())",
                (instance,),
            )

    def silence(self, instance: str) -> None:
        """Let an instance's heartbeat be two hours old."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(
                "UPDATE migrator_instance SET seen_at = now() - interval '2 hours'"
                " WHERE instance = %s",
                (instance,),
            )

    def wake(self, instance: str) -> None:
        """Let an instance's heartbeat be fresh again."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(
                "UPDATE migrator_instance SET seen_at = now() WHERE instance = %s", (instance,)
            )

    def sign_in(self, name: str, *, rows: int = 1) -> None:
        """Insert sessions of the kind `name` in tests/metrics/sessions.json."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(
                "INSERT INTO sessions (session_id, data, created_at, updated_at)"
                " SELECT '2::' || %s || i, %s, now(), now() FROM generate_series(1, %s) AS i",
                (name, BY_NAME[name], rows),
            )

    def sign_out(self, rows: int) -> None:
        """Delete so many sessions."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(
                "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions LIMIT %s)", (rows,)
            )

    def prove_the_store(self) -> None:
        """Let a look find a session with a user, which then ends; a visitor comes later."""
        self.sign_in("user")
        session_store(self.context()).look()
        with psycopg.connect(self.dsn) as connection:
            connection.execute("DELETE FROM sessions WHERE session_id = '2::user1'")
        self.sign_in("nil")

    def end_sessions(self) -> None:
        """Delete all sessions."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute("DELETE FROM sessions")
