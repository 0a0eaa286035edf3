"""What phase 4 removes, and how patiently."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from migrator.config.durations import Duration
from migrator.config.section import Section

Acknowledgement = Literal["scream_window", "lockout", "second_factors"]


class RemoveSection(Section):
    """What phase 4 removes.

    Attributes:
        application_roles: Roles that the application signs in to PostgreSQL with.
        guard_role: Takes over tables that one of those roles owns; it may not sign in.
        scream_window: How long nobody may have been refused.
        server_log: PostgreSQL's log files, a pattern; with `.json` or `.csv` at the end in those formats.
        quiet_for: How long no user may have been on the legacy side.
        erase: Whether values go before the columns do, and whether the table is rewritten then.
        acknowledged: What is gone or unproven, and accepted.
    """

    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] | Literal["devise"] = "devise"
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
