"""What the sync remembers between passes, and where it stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso, parse_iso
from migrator.core.durations import format_duration
from migrator.metrics.last_pass import LAST_PASS
from migrator.metrics.sync_check import SUBJECT

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.runner.context import Context

_KEYS = ("watermark", "swept_at", LAST_PASS, "again")


@dataclass(frozen=True)
class Lag:
    """How far Auther is behind after a pass.

    Attributes:
        at: When the pass ended.
        rows: Users known to differ.
        seconds: For how long an open transaction, or a user who could not be written, holds back.
        quarantined: Users who cannot be followed; they are not among `rows`.
    """

    at: str
    rows: int
    seconds: float
    quarantined: int


class Standing:
    """Reads and writes the checkpoints of the sync; each is one transaction."""

    def __init__(self, ctx: Context) -> None:
        self._checkpoints = ctx.state.checkpoints

    @property
    def watermark(self) -> datetime | None:
        """Give the time since which changed rows have to be read; None before the first sweep."""
        return self._time("watermark")

    @property
    def swept_at(self) -> datetime | None:
        """Give the beginning of the last finished look at all users."""
        return self._time("swept_at")

    @property
    def again(self) -> dict[str, int]:
        """Give the users whom a pass could not write, and in how many passes in a row."""
        return self._checkpoints.get(SUBJECT, "again") or {}

    @property
    def lag(self) -> Lag | None:
        """Give what the last finished pass left."""
        found = self._checkpoints.get(SUBJECT, LAST_PASS)
        return None if found is None else Lag(**found)

    def move_watermark(self, to: datetime) -> None:
        """Move it forward; it never goes back."""
        before = self.watermark
        if before is None or to > before:
            self._checkpoints.put(SUBJECT, "watermark", iso(to))

    def swept(self, at: datetime) -> None:
        """Note a finished look at all users."""
        self._checkpoints.put(SUBJECT, "swept_at", iso(at))

    def keep_again(self, users: dict[str, int]) -> None:
        """Note the users whom the next pass has to try again."""
        if users != self.again:
            self._checkpoints.put(SUBJECT, "again", users)

    def passed(self, lag: Lag) -> None:
        """Note a finished pass."""
        self._checkpoints.put(SUBJECT, LAST_PASS, asdict(lag))

    def forget(self) -> None:
        """Let the next import begin anew."""
        self._checkpoints.drop(SUBJECT, *_KEYS)

    def _time(self, key: str) -> datetime | None:
        text = self._checkpoints.get(SUBJECT, key)
        return None if text is None else parse_iso(text)


def describe(ctx: Context) -> dict[str, Any] | None:
    """Say where the sync stands, from the state alone; None when it never ran."""
    lag = Standing(ctx).lag
    if lag is None:
        return None
    age = ctx.clock.now() - parse_iso(lag.at)
    words = f"sync: {lag.rows:,} rows and {lag.seconds:,.0f} s behind, looked {format_duration(age)} ago"
    if lag.quarantined:
        words += (
            f"; {lag.quarantined:,} users in {ctx.config.sync.rejects_file} cannot be followed"
        )
    return {**asdict(lag), "words": words}
