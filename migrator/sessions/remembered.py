"""Counts users whose remember-me token could still make a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import MigratorError
from migrator.legacy.left import open_left
from migrator.metrics.interface import Doubt, Grade, RememberedLook

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.sessions.interface import Place


@dataclass(frozen=True)
class Remembered:
    """The users table.

    Attributes:
        issued_until: When the last token was issued; None while they are issued.
    """

    place: Place
    issued_until: datetime | None

    @property
    def over(self) -> bool:
        """Whether the last token has ended by itself."""
        lives = self.place.legacy.remember_for
        return (
            self.issued_until is not None
            and lives is not None
            and self.place.clock.now() > self.issued_until + lives
        )

    def look(self) -> RememberedLook:
        """Count once."""
        if self.over:
            return RememberedLook(users=0)
        lives, now = self.place.legacy.remember_for, self.place.clock.now()
        since = now - lives if lives else now.replace(year=1970)
        try:
            with open_left(
                self.place.dsn(), self.place.legacy, limit_s=self.place.limit_s
            ) as tables:
                if not tables.remembers:
                    return RememberedLook(users=0)
                users, recent = tables.count_remembered(since=since)
        except MigratorError as error:
            return RememberedLook(doubts=(Doubt(Grade.ERROR, error.message),))
        return RememberedLook(users=users, recent=recent)
