"""Says of each instance whether it follows the stage, lags behind, or is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.dashboards.drain_picture import InstanceRow

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from migrator.metrics.interface import FleetLook, Heartbeat


def instance_rows(
    fleet: FleetLook,
    *,
    at: datetime,
    expected: int | tuple[str, ...],
    within: timedelta,
    epoch: int,
) -> tuple[InstanceRow, ...]:
    """Give the instances that report or should, by name.

    Args:
        fleet: The heartbeats.
        at: When they were read.
        expected: Names of those that must report, or their number.
        within: After what silence one counts as gone.
        epoch: Of the stage document that holds.
    """
    rows = {
        beat.instance: _row(beat, at=at, within=within, epoch=epoch) for beat in fleet.heartbeats
    }
    names = expected if isinstance(expected, tuple) and not fleet.doubts else ()
    missing = {name: InstanceRow(name, "never reported") for name in names}
    return tuple(row for _, row in sorted((missing | rows).items()))


def _row(beat: Heartbeat, *, at: datetime, within: timedelta, epoch: int) -> InstanceRow:
    silent = not -within <= beat.age <= within
    state = "silent" if silent else "behind" if beat.epoch < epoch else "follows"
    return InstanceRow(
        beat.instance,
        state,
        build=beat.build,
        stage=beat.stage,
        epoch=beat.epoch,
        source=beat.source,
        heard_at=at - beat.age,
    )
