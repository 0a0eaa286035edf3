"""What phase 4 removes, and how patiently."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from migrator.config.durations import Duration
from migrator.config.section import Section

# "usual": of the library that `legacy.kind` names.
Known = Literal["usual", "devise", "django", "laravel", "better-auth"]


class RemoveSection(Section):
    """What phase 4 removes.

    Attributes:
        approvals_for: Steps that two people have to agree to.
        acknowledge: Protections that go although Auther has no place for them.
    """

    tables: tuple[str, ...] | Known = "usual"
    columns: tuple[str, ...] | Known = "usual"
    acknowledge: tuple[Literal["lockout", "second_factor"], ...] = ()
    approvals_for: tuple[str, ...] = ("09_purge_tables", "15_erase_columns", "16_purge_columns")
    plan_dir: Path = Path(".migrator/remove")
    lock_timeout: Duration = timedelta(seconds=1)
    lock_attempts: Annotated[int, Field(ge=1, le=1000)] = 30
    evidence_valid_for: Duration = timedelta(minutes=15)
