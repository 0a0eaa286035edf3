"""What phase 4 removes, and how patiently."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from migrator.config.durations import Duration
from migrator.config.secrets import SecretRef
from migrator.config.section import Section

# "usual": of the library that `legacy.kind` names.
Known = Literal["usual", "devise", "django", "laravel", "better-auth"]
Acknowledgement = Literal[
    "scream_window", "lockout", "second_factors", "table_rewrite", "code_first", "stages"
]


class ArchiveSection(Section):
    """Where removed rows are kept, for whom they are encrypted, and what of them is left out."""

    dir: Path = Path(".migrator/archive")
    recipients: tuple[str, ...] = ()
    identity: SecretRef | None = None
    encrypt: bool = True
    include_secrets: bool = False
    chunk_rows: Annotated[int, Field(ge=1)] = 100_000
    chunk_mb: Annotated[float, Field(gt=0, le=256)] = 8


class RemoveSection(Section):
    """What phase 4 removes.

    Attributes:
        approvals_for: Steps that two people have to agree to.
        application_roles: Roles that the application signs in to PostgreSQL with.
        guard_role: Takes over tables that one of those roles owns; it may not sign in.
        scream_window: How long nobody may have been refused.
        server_log: PostgreSQL's log files, a pattern; with `.json` or `.csv` at the end in those formats.
        quiet_for: How long no user may have been on the legacy side.
        erase: Whether values go before the columns do, and whether the table is rewritten then.
        acknowledged: What is gone or unproven, and accepted.
    """

    tables: tuple[str, ...] | Known = "usual"
    columns: tuple[str, ...] | Known = "usual"
    approvals_for: tuple[str, ...] = ("09_purge_tables", "15_erase_columns", "16_purge_columns")
    plan_dir: Path = Path(".migrator/remove")
    lock_timeout: Duration = timedelta(seconds=1)
    lock_attempts: Annotated[int, Field(ge=1, le=1000)] = 30
    evidence_valid_for: Duration = timedelta(minutes=15)
    application_roles: tuple[str, ...] = ()
    guard_role: Annotated[str, Field(min_length=1)] = "migrator_guard_owner"
    scream_window: Duration = timedelta(days=7)
    server_log: str = ""
    quiet_for: Duration = timedelta(days=7)
    erase: Literal["no", "null", "rewrite"] = "no"
    acknowledged: tuple[Acknowledgement, ...] = ()
    backups_kept_for: Duration | None = None
    wal_kept_for: Duration | None = None
    archive: ArchiveSection = ArchiveSection()
