"""What phase 4 removes, and how patiently."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from migrator.config.durations import Duration
from migrator.config.section import Section


class RemoveSection(Section):
    """What phase 4 removes."""

    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] | Literal["devise"] = "devise"
    plan_dir: Path = Path(".migrator/remove")
    lock_timeout: Duration = timedelta(seconds=1)
    lock_attempts: Annotated[int, Field(ge=1, le=1000)] = 30
    evidence_valid_for: Duration = timedelta(minutes=15)
