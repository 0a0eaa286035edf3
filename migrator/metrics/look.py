"""Everything measured at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.metrics.both_sides import (
        AutherLook,
        HomesLook,
        ImportLook,
        PasswordsLook,
        SyncLook,
        WriteBackLook,
    )
    from migrator.metrics.interface import (
        FactLook,
        FleetLook,
        HealthLook,
        RememberedLook,
        SessionsLook,
        ShimsLook,
    )


@dataclass(frozen=True)
class Look:
    """Everything measured at one moment; None where a source was not asked."""

    at: datetime
    shims: ShimsLook | None = None
    fleet: FleetLook | None = None
    sessions: SessionsLook | None = None
    remembered: RememberedLook | None = None
    import_check: ImportLook | None = None
    sync_check: SyncLook | None = None
    write_back_check: WriteBackLook | None = None
    health: HealthLook | None = None
    auther: AutherLook | None = None
    passwords: PasswordsLook | None = None
    homes: HomesLook | None = None
    canary_check: FactLook | None = None
    shadow_check: FactLook | None = None
    capacity_check: FactLook | None = None
    pinned_users: FactLook | None = None
    rehearsal: FactLook | None = None
    refusals: FactLook | None = None
    deadline: datetime | None = None
