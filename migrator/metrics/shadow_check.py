"""What the shadow check of live logins has proven, as a source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from migrator.core.clock import iso
from migrator.core.errors import MigratorError
from migrator.metrics.interface import FactLook, Grade, no_fact

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from migrator.core.clock import Clock

GOOD_FOR = timedelta(days=7)


class Shadowed(NamedTuple):
    """What is known after so many users.

    Attributes:
        bound: With 95 % confidence at most this share of all users would be refused, 0 to 1.
        newest: When the last password was checked, None before the first.
    """

    bound: float
    users: int
    mismatched: int
    newest: datetime | None


@dataclass(frozen=True)
class ShadowCheck:
    """What the shims wrote down.

    Attributes:
        read: Reads it; raises a `MigratorError` when it cannot.
    """

    read: Callable[[], Shadowed]
    clock: Clock

    def look(self) -> FactLook:
        """Give the share of users that may be refused at Auther at most."""
        try:
            found = self.read()
        except MigratorError as error:
            return no_fact(Grade.ERROR, error.message)
        if found.newest is None:
            reason = "no shim has checked a password: MIGRATOR_VERIFY_SECRET in the application"
            return no_fact(Grade.NO_DATA, reason)
        if self.clock.now() - found.newest > GOOD_FOR:
            return no_fact(Grade.STALE, f"no password was checked since {iso(found.newest)}")
        evidence = {"users": found.users, "mismatched": found.mismatched}
        return FactLook(found.bound, found.newest, evidence=evidence)
