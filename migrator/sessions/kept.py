"""A count of a whole store that was kept: looks rely on it for a while instead of counting again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso, parse_iso
from migrator.core.durations import format_duration
from migrator.metrics.interface import Doubt, Grade, SessionsLook, StoreMark

if TYPE_CHECKING:
    from migrator.config.model import LegacySection
    from migrator.sessions.interface import HolderPage, Place, Store
    from migrator.state.checkpoints import Checkpoints

SUBJECT, KEY = "census", "counted"
_NUMBERS = ("holding", "others", "anonymous", "undecodable", "endless", "total_estimate")
_HISTOGRAMS = ("used", "ends")


@dataclass(frozen=True)
class KeptStore:
    """Answers with the count that was kept, and says when it is too old."""

    place: Place
    store: Store
    kept: SessionsLook
    good_for: timedelta

    def look(self) -> SessionsLook:
        """Give the count; its age is what makes it doubtful."""
        assert self.kept.counted_at is not None  # noqa: S101 - only such a count is kept
        age = self.place.clock.now() - self.kept.counted_at
        if timedelta(0) <= age <= self.good_for:
            return self.kept
        when = f"{format_duration(age)} ago" if age > timedelta(0) else "at a time still to come"
        reason = f"the sessions were counted {when}: migrator drain census --watch"
        return replace(self.kept, doubts=(*self.kept.doubts, Doubt(Grade.STALE, reason)))

    def holders(self, *, after: str, rows: int) -> HolderPage:
        """Ask the store itself."""
        return self.store.holders(after=after, rows=rows)


def keep(checkpoints: Checkpoints, legacy: LegacySection, look: SessionsLook) -> None:
    """Keep a count that was taken at `counted_at`."""
    assert look.counted_at is not None  # noqa: S101
    data: dict[str, Any] = {name: getattr(look, name) for name in _NUMBERS}
    for name in _HISTOGRAMS:
        data[name] = [[iso(at), count] for at, count in getattr(look, name)]
    data |= {"of": store_key(legacy), "counted_at": iso(look.counted_at), "doubts": look.doubts}
    data["store"] = look.store
    data["written_at"] = None if look.written_at is None else iso(look.written_at)
    checkpoints.put(SUBJECT, KEY, data)


def kept_count(checkpoints: Checkpoints, legacy: LegacySection) -> SessionsLook | None:
    """Give the count that was kept of this very store, None without one."""
    data = checkpoints.get(SUBJECT, KEY)
    if not data or data["of"] != store_key(legacy):
        return None
    written_at = data.get("written_at")
    counted: dict[str, Any] = {name: data[name] for name in _NUMBERS}
    for name in _HISTOGRAMS:
        counted[name] = tuple((parse_iso(at), count) for at, count in data[name])
    return SessionsLook(
        **counted,
        counted_at=parse_iso(data["counted_at"]),
        store=StoreMark(*data["store"]) if data.get("store") else None,
        written_at=None if written_at is None else parse_iso(written_at),
        doubts=tuple(Doubt(Grade(grade), reason) for grade, reason in data["doubts"]),
    )


def store_key(legacy: LegacySection) -> str:
    """Tell one store from another, without showing where it is."""
    said = (legacy.session_store, legacy.sessions_place, legacy.model, str(legacy.dsn))
    return sha256("\n".join(said).encode()).hexdigest()
