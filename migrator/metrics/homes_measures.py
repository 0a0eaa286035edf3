"""What can be measured of the users in `migrator_identity`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.metrics.both_sides import HomesLook
from migrator.metrics.interface import Doubt, Grade, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.metrics.look import Look


def legacy_homes(look: Look) -> Reading:
    """Count users who have not moved, those who cannot included."""
    return _read(look, lambda found: found.homes.get("legacy", 0))


def users_seen_on_legacy(look: Look) -> Reading:
    """Count users seen on the legacy path of late; the shims note that at their best effort."""
    return _read(look, lambda found: found.seen_on_legacy)


def _read(look: Look, count: Callable[[HomesLook], int]) -> Reading:
    found = look.homes or HomesLook(doubts=(Doubt(Grade.NO_DATA, "no user was counted"),))
    if found.doubts:
        return Reading(None, found.doubts, evidence={"users_estimate": found.total_estimate})
    evidence = {
        "homes": dict(found.homes),
        "pinned": found.pinned,
        "last_legacy": dict(found.last_legacy),
        "last_auther": dict(found.last_auther),
    }
    return Reading(float(count(found)), evidence=evidence)
