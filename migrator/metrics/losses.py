"""What processes counted and nobody read before they ended: it makes a count one of "at least"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.metrics.holes import is_hole
from migrator.metrics.instances import alive

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime, timedelta

    from migrator.metrics.base import Base, Mark
    from migrator.metrics.interface import FleetLook


def ends(
    base: Base,
    marks: Mapping[str, Mark],
    fleet: FleetLook,
    *,
    within: timedelta,
    at: datetime,
    told: Collection[str] = (),
) -> list[str]:
    """Say which instances are gone whose last counts nobody read.

    One that is alive can be read again. While nobody knows who is alive, each that is missing may be gone.

    Args:
        base: The look before.
        marks: Of the instances that were read now.
        fleet: Who reports.
        within: After what silence an instance counts as gone.
        at: Now.
        told: Instances that are judged by what they wrote down themselves.
    """
    missing = {n for n in base.marks if n not in marks and not is_hole(n)}
    if fleet.doubts:
        gone = missing
    else:
        since_before = at - base.at + within
        heard = {b.instance for b in fleet.heartbeats if b.age < since_before} - marks.keys()
        known = {beat.instance for beat in fleet.heartbeats}
        unheard = {n for n in missing - known if base.marks[n].at == base.at}
        gone = (heard | unheard) - {beat.instance for beat in alive(fleet, within=within)}
    said = sorted(gone.difference(told))
    return [f"{name} is gone: what it counted last is lost" for name in said]
