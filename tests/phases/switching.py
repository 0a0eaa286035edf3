"""A migration whose instances report from a database of their own."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.core.stage import Stage
from migrator.gates.spec import specs_before
from migrator.gates.verdict import GateState, Verdict
from migrator.runner.context import Context, make_context
from migrator.runner.gating.sampling import record
from migrator.runner.switching.publishing import public_key
from migrator.shims.document import verify
from phases import p2_dual_path
from tests.parts.stage_file import SIDE_TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from migrator.core.stage import StageDocument
    from migrator.runner.switching.switch import Switched

LEGACY, DUAL, DRAIN, AUTHER = Stage
# An epoch that no test reaches: an instance that reports it follows whatever is published.
FAR = 1_000_000
CONFIG = """
[migration]
name = "club"
key = "env:MIGRATION_KEY"
[legacy]
dsn = "env:CLUB_DATABASE_URL"
[auther]
database = "auther.db"
base_url = "https://id.example.org"
client_id = "club"
sign_up_url = "https://club.example.org/register"
forgot_password_url = "https://club.example.org/password"
links_accounts = false
{auther}
[import]
verified_when = "always"
[stage]
signing_key = "file:stage.key"
expected_instances = {expected}
wait = "{wait}"
[shim]
redirect_uri = "https://club.example.org/auth/callback"
{gates}
"""
GATE = """
[[gates]]
name = "before-{step}"
before = "{step}"
measure = "total_requests"
at_least = 1
span = "1s"
"""
BEAT = """
INSERT INTO migrator_instance VALUES (%s, %s, %s, %s, %s, 'live', %s, now() - %s)
ON CONFLICT (instance) DO UPDATE SET build = excluded.build, baked = excluded.baked,
  stage = excluded.stage, epoch = excluded.epoch, legacy_capable = excluded.legacy_capable,
  seen_at = excluded.seen_at
"""


@dataclass(frozen=True)
class Switching:
    """One operator's migration, and the instances of the application."""

    ctx: Context
    root: Path
    dsn: str

    def beat(
        self,
        instance: str = "web-1",
        *,
        epoch: int = 0,
        stage: str = "dual",
        baked: str = "dual",
        legacy_capable: bool = True,
        age: timedelta = timedelta(0),
    ) -> None:
        """Report as an instance does."""
        row = (instance, "1", baked, stage, epoch, legacy_capable, age)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(BEAT, row)

    def pass_gates(self, step: str, state: GateState = GateState.PASSED) -> None:
        """Write the verdict that `gate check` writes."""
        for spec in specs_before(self.ctx.config, step):
            until = self.ctx.clock.now() + timedelta(hours=1)
            record(self.ctx, Verdict(spec, state, "seen", good_until=until))

    def move_home(self, *pks: str) -> None:
        """Link users whose password is at Auther."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for pk in pks:
                connection.execute(
                    "INSERT INTO migrator_identity (source, user_pk, auther_id, home) "
                    "VALUES ('User', %s, %s, 'auther')",
                    (pk, f"auther-{pk}"),
                )

    def read(self) -> StageDocument:
        """Read what is published, as a shim does."""
        text = (self.root / ".migrator" / "stage.json").read_text()
        return verify(text, public_key(self.ctx))


def make_switching(
    root: Path,
    dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    expected: str = "1",
    wait: str = "1s",
    gates: tuple[str, ...] = ("dual", "drain", "auther"),
    auther: str = "",
) -> Switching:
    """Set a migration up; nothing is published yet and no instance reports."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SIDE_TABLES)
    monkeypatch.setenv("MIGRATION_KEY", "k" * 32)
    monkeypatch.setenv("CLUB_DATABASE_URL", dsn)
    key = root / "stage.key"
    key.write_text(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))
    key.chmod(0o600)
    path = root / "migrator.toml"
    listed = "".join(GATE.format(step=step) for step in gates)
    path.write_text(CONFIG.format(expected=expected, wait=wait, gates=listed, auther=auther))
    ctx = make_context(load(path), root=root, clock=SystemClock(), progress=Progress())
    return Switching(ctx, root, dsn)


def set_stage(site: Switching, stage: Stage, percent: float | None = None) -> Switched:
    """Move on, behind gates that pass again after each change of the stage."""
    site.pass_gates(stage)
    return run(site, stage, percent)


def run(site: Switching, stage: Stage, percent: float | None = None) -> Switched:
    return p2_dual_path.run(site.ctx, stage, percent=percent)


def results(site: Switching) -> list[str]:
    entries = site.ctx.state.ledger.entries(subject="stage")
    return [e.body["result"] for e in entries if e.kind == "outcome"]


Make = Callable[..., Switching]
