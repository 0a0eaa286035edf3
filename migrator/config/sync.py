"""The section [sync]: how Auther is kept in step with the application."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from migrator.config.durations import Duration
from migrator.config.section import Section

Share = Annotated[float, Field(ge=0, le=1)]


class SyncSection(Section):
    """The sync.

    Attributes:
        interval: Between the beginnings of two passes of `--watch`.
        sweep_every: Between two looks at all users, which find what moves no `updated_at`.
        clock_margin: By how much the application's clocks may be behind the database's.
        unseen_for: How long a transaction may be open that our role cannot see.
        deletes: What happens at Auther to users who are gone from the application.
        max_bans: A pass that would ban or delete more users than this stops.
        max_bans_share: Likewise, as a share of all users.
        max_passwords_share: A pass that would change the passwords of more users than this, or take
            roles from more, stops.
    """

    interval: Duration = timedelta(seconds=5)
    sweep_every: Duration = timedelta(hours=1)
    clock_margin: Duration = timedelta(seconds=30)
    unseen_for: Duration = timedelta(minutes=15)
    deletes: Literal["ban", "delete"] = "ban"
    max_bans: Annotated[int, Field(ge=0)] = 100
    max_bans_share: Share = 0.005
    max_passwords_share: Share = 0.05
    rejects_file: Path = Path(".migrator/sync-rejects.jsonl")
