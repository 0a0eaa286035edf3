"""What can be measured of the users in `migrator_identity`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.metrics.both_sides import HomesLook
from migrator.metrics.homes import NEVER
from migrator.metrics.interface import Doubt, Grade, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.metrics.look import Look


def legacy_homes(look: Look) -> Reading:
    """Count users who have not moved, those who cannot included."""
    return _read(look, lambda found: found.homes.get("legacy", 0))


def users_seen_on_legacy(look: Look) -> Reading:
    """Count users seen on the legacy path of late; the shims note that at their best effort.

    Where no shim ever noted anybody, on either path, none can: that nobody was seen says nothing.
    """
    found = look.homes
    if found is not None and not found.doubts and not _is_anybody_noted(found):
        doubt = Doubt(Grade.NO_DATA, "no shim has noted on which path anybody came")
        return Reading(None, (doubt,))
    return _read(look, lambda found: found.seen_on_legacy)


def _is_anybody_noted(found: HomesLook) -> bool:
    ages = (*found.last_legacy.items(), *found.last_auther.items())
    return any(users for age, users in ages if age != NEVER)


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
