"""What phase 4 removes, and how patiently."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from migrator.config.durations import Duration
from migrator.config.secrets import SecretRef
from migrator.config.section import Section


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
    """What phase 4 removes."""

    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] | Literal["devise"] = "devise"
    plan_dir: Path = Path(".migrator/remove")
    lock_timeout: Duration = timedelta(seconds=1)
    lock_attempts: Annotated[int, Field(ge=1, le=1000)] = 30
    evidence_valid_for: Duration = timedelta(minutes=15)
    backups_kept_for: Duration | None = None
    wal_kept_for: Duration | None = None
    archive: ArchiveSection = ArchiveSection()
