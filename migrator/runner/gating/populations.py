"""Puts together who can still come by the legacy path: sessions, tokens, requests, users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.dashboards.drain_picture import HomesRow, Populations, SeenRow, SessionRow
from migrator.metrics.interface import RememberedLook, SessionsLook
from migrator.metrics.measures import legacy_by_client

if TYPE_CHECKING:
    from migrator.metrics.both_sides import HomesLook
    from migrator.metrics.look import Look
    from migrator.metrics.measures import SourceName

POPULATION_SOURCES: frozenset[SourceName] = frozenset({"shims", "sessions", "remembered", "homes"})


def populations_of(found: Look) -> Populations:
    """Give who is still on the legacy path."""
    remembered = found.remembered or RememberedLook()
    processes = found.shims.processes if found.shims else ()
    foreign = sum(
        value
        for process in processes
        for labels, value in process.requests.items()
        if labels.path == "foreign" and not labels.synthetic
    )
    return Populations(
        sessions=session_row(found.sessions or SessionsLook()),
        remember_me=remembered.users,
        remember_me_recent=remembered.recent,
        foreign_requests=int(foreign) if processes else None,
        clients=legacy_by_client(processes) if processes else None,
        homes=None if found.homes is None else homes_row(found.homes),
        doubts=tuple(doubt.reason for doubt in remembered.doubts),
    )


def session_row(found: SessionsLook) -> SessionRow:
    """Give a count of sessions as the views show it."""
    reasons = tuple(doubt.reason for doubt in (*found.doubts, *found.unproven))
    return SessionRow(
        found.holding,
        found.others,
        found.anonymous,
        found.undecodable,
        reasons,
        endless=found.endless,
        unseen=found.unseen,
    )


def homes_row(found: HomesLook) -> HomesRow:
    """Give a count of users as the views show it."""
    return HomesRow(
        legacy=found.homes.get("legacy", 0),
        auther=found.homes.get("auther", 0),
        pinned=found.pinned,
        seen=tuple(
            SeenRow(within, users, found.last_auther.get(within, 0))
            for within, users in found.last_legacy.items()
        ),
        doubts=tuple(doubt.reason for doubt in found.doubts),
    )
