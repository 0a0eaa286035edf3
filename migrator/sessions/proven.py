"""The positive control of a session store: what makes a small count there mean anything.

A wrong table, prefix or database is empty too. So a session with a user must have been found in this very
store, by this configuration, and the store must be one that the application writes to: lately, or, where a
person has acknowledged that it no longer does, not since then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from migrator.core.clock import iso, parse_iso
from migrator.core.durations import format_duration
from migrator.metrics.interface import Doubt, Grade
from migrator.sessions.kept import store_key

if TYPE_CHECKING:
    from migrator.metrics.interface import SessionsLook, StoreMark
    from migrator.sessions.interface import HolderPage, Place, Store
    from migrator.state.checkpoints import Checkpoints

SUBJECT, KEY = "drain", "session seen"
CLOCKS_DIFFER = timedelta(minutes=5)
ACKNOWLEDGE = "migrator gate acknowledge --sessions"


class Silence(NamedTuple):
    """A person's word that the application writes to a store no more.

    Attributes:
        made: Of which table or server, as in `StoreMark`.
    """

    store_key: str
    made: str
    at: datetime


@dataclass(frozen=True)
class ProvenStore:
    """Counts like the store behind it, remembers sessions with a user, and says what a count would not prove.

    Attributes:
        alive_within: After what silence nobody knows whether the application still writes there.
        silence: The newest acknowledged one, None without any.
    """

    place: Place
    store: Store
    checkpoints: Checkpoints
    alive_within: timedelta
    silence: Silence | None

    def look(self) -> SessionsLook:
        """Count once."""
        found = self.store.look()
        mark = found.store
        if mark is None:
            return found
        if found.holding:
            self._remember(mark, found.counted_at or self.place.clock.now())
        found = replace(found, user_seen_at=self._user_seen_at(mark))
        return replace(found, unproven=tuple(self._unproven(found, mark)))

    def holders(self, *, after: str, rows: int) -> HolderPage:
        """Ask the store."""
        return self.store.holders(after=after, rows=rows)

    def _remember(self, mark: StoreMark, at: datetime) -> None:
        seen = {"of": store_key(self.place.legacy), "place": mark.place, "at": iso(at)}
        self.checkpoints.put(SUBJECT, KEY, seen)

    def _user_seen_at(self, mark: StoreMark) -> datetime | None:
        seen = self.checkpoints.get(SUBJECT, KEY)
        mine = {"of": store_key(self.place.legacy), "place": mark.place}
        if not seen or {"of": seen["of"], "place": seen["place"]} != mine:
            return None
        return parse_iso(seen["at"])

    def _unproven(self, found: SessionsLook, mark: StoreMark) -> list[Doubt]:
        said = []
        if found.user_seen_at is None:
            said.append(
                f"no session with a user was ever found in {self._what}: another table, prefix or database?"
                " Sign in on the legacy path, then: migrator drain status"
            )
        if not self._is_alive(found, mark):
            said.append(
                f"{self._written(found)}: does the application still keep its sessions there?"
            )
            if found.user_seen_at is not None:
                said[-1] += f" If not: {ACKNOWLEDGE}"
        return [Doubt(Grade.UNPROVEN, reason) for reason in said]

    def _is_alive(self, found: SessionsLook, mark: StoreMark) -> bool:
        if found.written_at is not None:
            age = self.place.clock.now() - found.written_at
            if -CLOCKS_DIFFER <= age <= self.alive_within:
                return True
        silence = self.silence
        if silence is None or silence[:2] != (store_key(self.place.legacy), mark.made):
            return False
        return found.written_at is None or found.written_at <= silence.at

    def _written(self, found: SessionsLook) -> str:
        if found.written_at is None:
            return f"nobody can tell when {self._what} was written to"
        age = self.place.clock.now() - found.written_at
        if age < -CLOCKS_DIFFER:
            return (
                f"{self._what} was written to in {format_duration(-age)} (session_ttl, or a clock)"
            )
        return f"{self._what} was last written to {format_duration(age)} ago"

    @property
    def _what(self) -> str:
        return describe(self.place)


def describe(place: Place) -> str:
    """Name a store as the configuration does."""
    legacy = place.legacy
    if legacy.session_store == "sql":
        return "what legacy.sessions.query gives"
    if legacy.session_store == "redis":
        return f"Redis ({legacy.sessions.prefix}*)"
    return legacy.sessions_table
