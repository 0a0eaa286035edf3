"""A migration at stage `auther` whose gates have passed, on a database of its own."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from migrator.archive.encryption import make_identity
from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.core.stage import Stage, StageDocument
from migrator.gates.spec import specs_before
from migrator.gates.verdict import GateState, Verdict
from migrator.runner import stages
from migrator.runner.context import Context, make_context
from migrator.runner.gating.sampling import record
from migrator.runner.removing.archives import folder_of
from migrator.runner.removing.plans import kept_plan
from migrator.sqlgen import steps
from tests.parts.postgres import embedded_binaries

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CONFIG = """
[migration]
name = "shop"
key = "file:migration.key"
[legacy]
dsn = "env:{variable}"
{legacy}[auther]
database = "auther.db"
[import]
verified_when = "always"
[stage]
signing_key = "env:STAGE_KEY"
expected_instances = 1
[[gates]]
name = "quiet"
before = "remove"
measure = "legacy_requests"
at_most = 0
span = "1s"
[remove]
tables = {tables}
columns = {columns}
approvals_for = {approvals}
lock_timeout = "0.1s"
lock_attempts = 3
acknowledged = {acknowledged}
{rules}
[remove.archive]
recipients = ["{recipient}"]
identity = "file:archive.key"
include_secrets = {secrets}
"""
IDENTITY, RECIPIENT = make_identity()
TABLES = ("public.identities", "public.push_tokens")
# What a removal of tables and columns takes, when nothing is to be erased.
STEPS = tuple(name for name in steps.NAMES if name != steps.ERASE_COLUMNS)


@dataclass(frozen=True)
class Site:
    """One operator's migration.

    Attributes:
        root: The folder with migrator.toml.
        dsn: The application's database.
    """

    ctx: Context
    root: Path
    dsn: str

    def sql(self, query: str, *values: object) -> Any:
        """Run one statement and give the first value of its first row, if there is one."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values or None)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def pass_gates(self, *, state: GateState = GateState.PASSED) -> None:
        """Write the verdict that `gate check` writes."""
        for spec in specs_before(self.ctx.config, "remove"):
            until = self.ctx.clock.now() + timedelta(minutes=15)
            record(self.ctx, Verdict(spec, state, "quiet for long", good_until=until))

    def archive(self, step: str) -> Path:
        """The folder with the files of one archive."""
        return folder_of(self.ctx, kept_plan(self.ctx).plan_id, step)

    def set_stage(self, stage: Stage) -> None:
        """Remember a stage as published."""
        document = StageDocument(
            "shop", 1, stage, 100.0, "00", "2026-11-23T03:00:00Z", "0" * 64, 1
        )
        stages.remember(self.ctx, document)

    def with_gates(self, gates: tuple[Any, ...]) -> Site:
        """The same migration with other gates in its configuration."""
        config = self.ctx.config.model_copy(update={"gates": gates})
        return replace(self, ctx=replace(self.ctx, config=config))

    def dump(self, *options: str) -> str:
        """What pg_dump says of the application's database, without its random key."""
        ran = subprocess.run(
            [embedded_binaries() / "pg_dump", "-d", self.dsn, *options],
            capture_output=True,
            text=True,
            check=True,
        )
        return re.sub(r"^\\(un)?restrict .*\n", "", ran.stdout, flags=re.MULTILINE)


def flip_a_bit(file: Path) -> None:
    """Change one bit in the middle of a file; once more changes it back."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def make_site(
    folder: Path,
    dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    tables: str | tuple[str, ...] = TABLES,
    columns: str | tuple[str, ...] = "devise",
    legacy: str = "",
    include_secrets: bool = True,
    rules: str = "",
    acknowledged: tuple[str, ...] = (
        "scream_window",
        "lockout",
        "second_factors",
        "code_first",
    ),
    approvals: tuple[str, ...] = (),
    more: str = "",
) -> Site:
    """Set a migration up in a folder; `legacy` and `rules` are more lines of their sections, `more` of the end."""
    variable = "LEGACY_" + folder.name.upper().replace("-", "_")
    monkeypatch.setenv(variable, dsn)
    folder.mkdir(exist_ok=True)
    for name, secret in (("archive.key", IDENTITY), ("migration.key", "k" * 32)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    (folder / "migrator.toml").write_text(
        CONFIG.format(
            variable=variable,
            legacy=legacy,
            tables=_toml(tables),
            columns=_toml(columns),
            rules=rules,
            acknowledged=_toml(acknowledged),
            approvals=_toml(approvals),
            recipient=RECIPIENT,
            secrets=_toml(include_secrets),
        )
        + more
    )
    config = load(folder / "migrator.toml")
    ctx = make_context(config, root=folder, clock=SystemClock(), progress=Progress())
    site = Site(ctx, folder, dsn)
    site.set_stage(Stage.AUTHER)
    site.pass_gates()
    return site
