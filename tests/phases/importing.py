"""A migration whose users are about to be imported, on a database of its own."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.runner.context import Context, make_context
from tests.parts.any_database import run_sql

if TYPE_CHECKING:
    from collections import Counter

    import pytest

    from migrator.core.users import RejectReason
    from migrator.runner.importing.outcome import Outcome

IMPORTED = 565
ORACLE = Path(__file__).parent.parent / "data" / "devise_600_plaintext.csv"
# The dump's locks were made at about 02:45 with unlock_in 1 h.
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PEPPER = (
    "c0ffee5ca1ab1e0ddba11deadbeefcafe0123456789abcdef0123456789abcdef"
    "c0ffee5ca1ab1e0ddba11deadbeefcafe0123456789abcdef0123456789abcdef"
)
PEPPER_ID = "2024"
OTP_KEY = "otp-encryption-key-otp-encryption-key-0123456789"
MIGRATION_KEY = "k" * 40
CONFIG = """
[migration]
name = "shop"
key = "env:MIGRATION_KEY"
[legacy]
dsn = "env:LEGACY_DATABASE_URL"
identities_table = "{identities}"
columns = {{ {columns} }}
[[legacy.peppers]]
id = "{pepper}"
value = "env:DEVISE_PEPPER"
[auther]
database = "auther.db"
[import]
{settings}
[stage]
signing_key = "env:STAGE_KEY"
expected_instances = 1
"""
DEFAULTS = {"verified_when": '"confirmed"', "page_rows": "50"}


@dataclass(frozen=True)
class Site:
    """One operator's folder.

    Attributes:
        ctx: With a clock that stands at the time for which the oracle was made.
        dsn: The application's database.
    """

    ctx: Context
    root: Path
    dsn: str

    @property
    def auther_db(self) -> Path:
        """The target."""
        return self.root / "auther.db"

    @property
    def rejects(self) -> Path:
        """The file of rejects."""
        return self.root / ".migrator" / "rejects.jsonl"

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement in the application's database."""
        return run_sql(self.dsn, query, *values)[0]

    def row(self, query: str, *values: object) -> dict[str, Any]:
        """Read the one row that there is, by column."""
        (row,), names = run_sql(self.dsn, query, *values)
        return dict(zip(names, row, strict=True))

    def auther(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement in Auther's database."""
        with closing(sqlite3.connect(self.auther_db)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            rows = connection.execute(query, values).fetchall()
            connection.commit()
            return rows

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything the import wrote, in order."""
        tables = {
            "user": self.auther('SELECT * FROM "user" ORDER BY id'),
            "account": self.auther("SELECT * FROM account ORDER BY id"),
        }
        columns = "source, user_pk, auther_id, home, origin, pinned_reason, legacy_hash_fp"
        identity = f"SELECT {columns} FROM migrator_identity ORDER BY source, user_pk"
        return {**tables, "identity": self.sql(identity)}


def make_site(
    root: Path,
    dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    identities: str = "",
    columns: str = "",
    **settings: str,
) -> Site:
    """Write a configuration and open its context.

    Args:
        root: An empty folder.
        dsn: The application's database.
        monkeypatch: For the environment.
        identities: `legacy.identities_table`.
        columns: The inside of `legacy.columns`.
        settings: `[import]`, values as in TOML.
    """
    root.mkdir(exist_ok=True)
    monkeypatch.setenv("LEGACY_DATABASE_URL", dsn)
    monkeypatch.setenv("MIGRATION_KEY", MIGRATION_KEY)
    monkeypatch.setenv("STAGE_KEY", "unused here")
    monkeypatch.setenv("DEVISE_PEPPER", PEPPER)
    lines = "\n".join(f"{key} = {value}" for key, value in {**DEFAULTS, **settings}.items())
    file = root / "migrator.toml"
    file.write_text(
        CONFIG.format(identities=identities, columns=columns, pepper=PEPPER_ID, settings=lines)
    )
    ctx = make_context(load(file), root=root, clock=ManualClock(NOW), progress=Progress())
    return Site(ctx, root, dsn)


def delete_users(site: Site, which: str) -> None:
    """Delete rows without asking what else refers to them."""
    loosely = "SET session_replication_role = replica; " * site.dsn.startswith("postgresql")
    site.sql(f"{loosely}DELETE FROM users WHERE {which}")


def oracle() -> list[dict[str, str]]:
    """The users of the dump with their passwords and Devise's own answers."""
    with ORACLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rejects_of(site: Site) -> dict[str, str]:
    # Line by line as JSON Lines has them: an address may begin with a separator of Unicode's.
    lines = site.rejects.read_text(encoding="utf-8").split("\n")[:-1]
    return {row["id"]: row["reason"] for row in map(json.loads, lines)}


def counts(outcome: Outcome) -> tuple[int, int, int, Counter[RejectReason]]:
    tally = outcome.counts.tally
    return tally.read, tally.imported, tally.already_there, tally.rejected
