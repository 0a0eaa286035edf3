"""When the last legacy session must have ended, said without hope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.core.durations import format_duration
from migrator.core.stage import Stage

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from migrator.core.stage import StageDocument


@dataclass(frozen=True)
class Bound:
    """The latest end of the drain.

    Attributes:
        at: None where nothing ends the last session.
        why: What ends it, or why nothing does.
    """

    at: datetime | None
    why: str


def refused_from(document: StageDocument | None) -> datetime | None:
    """Give the time from which shims refuse legacy sessions, None while nothing says so.

    A deadline counts in `drain` only: after a rollback the same sessions are good again.
    """
    if document is None or document.stage.rank < Stage.DRAIN.rank:
        return None
    if document.stage is Stage.AUTHER:
        return parse_iso(document.issued_at)
    until = document.legacy_accept_until
    return None if until is None else parse_iso(until)


def honest_bound(
    document: StageDocument | None,
    *,
    session_ttl: timedelta | None,
    remember_for: timedelta | None,
) -> Bound:
    """Give the earlier of the deadline and the natural end of what was issued last.

    Args:
        document: The stage document that holds.
        session_ttl: How long a session lives, None for ever.
        remember_for: How long a remember-me token lives and makes new sessions, None for ever.
    """
    if document is None or document.stage.rank < Stage.DRAIN.rank:
        return Bound(None, "no bound: legacy sessions are still issued")
    if document.stage is Stage.AUTHER:
        return Bound(refused_from(document), "stage auther refuses legacy sessions")
    natural = _natural_end(document, session_ttl, remember_for)
    deadline = refused_from(document)
    if deadline is None or (natural.at is not None and natural.at <= deadline):
        return natural
    return Bound(deadline, "legacy_accept_until: shims refuse legacy sessions from then on")


def _natural_end(
    document: StageDocument, session_ttl: timedelta | None, remember_for: timedelta | None
) -> Bound:
    if session_ttl is None:
        return Bound(None, "no bound: sessions never end by themselves and no deadline is set")
    if remember_for is None:
        return Bound(None, "no bound: remember-me tokens never end and no deadline is set")
    lives = f"remember-me {format_duration(remember_for)} + session {format_duration(session_ttl)}"
    at = parse_iso(document.issued_at) + remember_for + session_ttl
    return Bound(at, f"end of issuing + {lives}")
