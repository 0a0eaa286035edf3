"""What every session store gives, whatever keeps the sessions."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from migrator.config.model import LegacySection
    from migrator.core.clock import Clock
    from migrator.metrics.interface import SessionsLook


@dataclass(frozen=True)
class Place:
    """Where the sessions are, and how long a look may take.

    Attributes:
        root: Folder that a `file:` reference starts from.
        timeout: For each statement, and for a look as a whole unless `patience` says more.
        patience: How long a whole look may take; None: `timeout`.
    """

    legacy: LegacySection
    root: Path
    timeout: timedelta
    clock: Clock
    patience: timedelta | None = None

    def until(self) -> datetime:
        """Give when a look that begins now has to end."""
        return self.clock.now() + self.whole

    @property
    def whole(self) -> timedelta:
        """How long a whole look may take."""
        return self.patience or self.timeout

    @property
    def limit_s(self) -> float:
        """The timeout of a statement in seconds."""
        return self.timeout.total_seconds()

    def dsn(self) -> str:
        """Read the address of the application's database.

        Raises:
            UsageError: It is missing or readable by others.
        """
        return self.legacy.dsn.reveal(self.root)


class Holder(NamedTuple):
    """Sessions of one user, or one session.

    Attributes:
        user: The user's primary key as text, None where the store does not tell.
        sessions: How many.
        used_at: When one was last used, None where that is unknown.
        ends_at: When the last one ends by itself; None: never, or unknown.
        key_hash: Tells one session from others where no user is known; signs nobody in.
    """

    user: str | None
    sessions: int = 1
    used_at: datetime | None = None
    ends_at: datetime | None = None
    key_hash: str = ""


class HolderPage(NamedTuple):
    """Some of the holders.

    Attributes:
        after: What asks for the next page, None after the last one.
    """

    holders: tuple[Holder, ...] = ()
    after: str | None = None


def key_hash(key: bytes) -> str:
    """Give what stands for a session's key, which may sign somebody in."""
    return sha256(key).hexdigest()[:16]


class Store(Protocol):
    """One session store; it is read and never written to."""

    def look(self) -> SessionsLook:
        """Count once; what could not be counted is a doubt in the answer."""
        ...

    def holders(self, *, after: str, rows: int) -> HolderPage:
        """Give who holds a session.

        Args:
            after: Empty, or what the page before gave.
            rows: About how many.

        Raises:
            MigratorError: The store cannot be asked.
        """
        ...


@dataclass(frozen=True)
class StoreKind:
    """One value of `legacy.session_store`.

    Attributes:
        reads: What it reads, for people.
    """

    reads: str
    make: Callable[[Place], Store]
