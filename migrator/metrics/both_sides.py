"""What is measured of the users themselves, at Auther and in the application."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from migrator.metrics.interface import Doubt


@dataclass(frozen=True)
class ImportLook:
    """What the newest `import verify` found.

    Attributes:
        differences: None when it says nothing usable.
        at: When it was written to the ledger.
    """

    differences: int | None = None
    at: datetime | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class SyncLook:
    """How far the sync leaves Auther behind the application.

    Attributes:
        seconds: Since when changes may be missing at Auther; grows while nothing is synced.
        rows: Users known to differ.
        quarantined: Users who cannot be followed; they are not among `rows`.
        at: When the last pass ended.
    """

    seconds: float | None = None
    rows: int | None = None
    quarantined: int = 0
    at: datetime | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class WriteBackLook:
    """How far the write-back leaves the application behind Auther.

    Attributes:
        seconds: Since when changes may be missing in the application; grows while nothing is written.
        open_users: People who could not sign in as usual after a rollback.
        at: When the last pass began.
    """

    seconds: float | None = None
    open_users: int | None = None
    at: datetime | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class AutherLook:
    """What the plugin at Auther counted since its process began.

    Attributes:
        process: Which process answered; several behind one address take turns.
        started_at_s: When it began, seconds since 1970.
        right: Passwords that were right, by scheme.
        wrong: Passwords that were not, by scheme.
        rehashed: Envelopes replaced by Auther's own hashes.
        rehash_failed: Envelopes kept although the password was right.
        exchanged: Legacy sessions that became one of Auther's.
        captured: Passwords that Auther lacked and was given.
    """

    process: str = ""
    started_at_s: float = 0
    right: Mapping[str, int] = field(default_factory=dict)
    wrong: Mapping[str, int] = field(default_factory=dict)
    rehashed: int = 0
    rehash_failed: int = 0
    exchanged: int = 0
    captured: int = 0
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class PasswordsLook:
    """What kinds of password hashes are stored at Auther.

    Attributes:
        users: All of Auther's.
        ours: Those of this migration.
        envelopes: Legacy hashes by scheme, not rehashed yet.
        native: Auther's own hashes.
        unknown: Hashes that Auther cannot verify.
    """

    users: int = 0
    ours: int = 0
    envelopes: Mapping[str, int] = field(default_factory=dict)
    native: int = 0
    unknown: int = 0
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class HomesLook:
    """The users in `migrator_identity`.

    Attributes:
        homes: Users by home.
        pinned: Users at home on the legacy path who cannot move.
        seen_on_legacy: Users seen on the legacy path within the time that was asked for.
        last_legacy: Users by how long ago at most they were last seen there: `1h`, `1d`, `7d`, `30d`,
            `90d`, `longer`, or `never` since the shim is there.
        last_auther: Likewise on Auther's path.
        total_estimate: The planner's idea of the number of users; None when unknown.
    """

    homes: Mapping[str, int] = field(default_factory=dict)
    pinned: int = 0
    seen_on_legacy: int = 0
    last_legacy: Mapping[str, int] = field(default_factory=dict)
    last_auther: Mapping[str, int] = field(default_factory=dict)
    total_estimate: int | None = None
    doubts: tuple[Doubt, ...] = ()
