"""Says who is still on the legacy path."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.dashboards.drain_picture import HomesRow, Populations


def lines(found: Populations) -> list[str]:
    """Give a line for each population, and for each doubt."""
    sessions = found.sessions
    unseen = f", {sessions.unseen:,} not read yet" if sessions.unseen else ""
    endless = f"{sessions.endless:,} of them without an end of their own"
    remembered = f"of at most {_number(found.remember_me)} users"
    recent = f"{_number(found.remember_me_recent)} of them first remembered lately"
    clients = found.clients or {}
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in clients.items())
    return [
        f"sessions with a user  {sessions.holding:,}, {endless}{unseen}",
        f"remember-me tokens    {remembered}, {recent}",
        f"foreign bearers       {_number(found.foreign_requests)} requests since the shims began",
        f"legacy requests by    {kinds or 'unknown: no shim was read'}",
        *_users(found.homes),
        *(f"doubt                 {doubt}" for doubt in (*sessions.doubts, *found.doubts)),
    ]


def _users(found: HomesRow | None) -> list[str]:
    if found is None:
        return []
    if found.doubts:
        return [f"users by home         unknown: {found.doubts[0]}"]
    legacy = ", ".join(f"{row.within} {row.legacy:,}" for row in found.seen)
    auther = ", ".join(f"{row.within} {row.auther:,}" for row in found.seen)
    pinned = f", {found.pinned:,} of them pinned" if found.pinned else ""
    return [
        f"users by home         legacy {found.legacy:,}{pinned}; auther {found.auther:,}",
        f"last seen on legacy   {legacy}",
        f"last seen on Auther's {auther}",
    ]


def _number(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
