"""The instances that must follow the switch: who lives, who lags, what their builds can do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.config.postgres import reading
from migrator.core.errors import MigratorError
from migrator.core.queries import load
from migrator.core.stage import Stage
from migrator.metrics.instances import Instances, alive, coverage_doubts

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.metrics.interface import FleetLook, Heartbeat
    from migrator.runner.context import Context

POLL_S = 0.5
HURT_TIMEOUT = timedelta(seconds=5)
_STATEMENT_TIMEOUT = timedelta(seconds=5)


@dataclass(frozen=True)
class Fleet:
    """One look at the instances.

    Attributes:
        living: Those heard of recently.
        doubts: Why it is not known that every expected instance lives; empty when it is.
    """

    living: tuple[Heartbeat, ...]
    doubts: tuple[str, ...]

    def lagging(self, epoch: int) -> tuple[str, ...]:
        """Name the living instances that have not seen an epoch, then what is not known.

        A build without the legacy side reads no document: it is where the last stage leads.
        """
        behind = [
            f"{beat.instance} is at epoch {beat.epoch} ({beat.stage}, {beat.source})"
            for beat in self.living
            if beat.legacy_capable and beat.epoch < epoch
        ]
        return (*behind, *self.doubts)

    def too_old_for(self, stage: Stage) -> tuple[str, ...]:
        """Name the builds whose baked stage is more than one step behind a stage."""
        return tuple(
            f"{beat.instance} (build {beat.build}) falls back to {beat.baked}"
            for beat in self.living
            if Stage(beat.baked).rank < stage.rank - 1
        )

    def without_legacy(self) -> tuple[str, ...]:
        """Name the instances whose build no longer knows legacy credentials."""
        return tuple(beat.instance for beat in self.living if not beat.legacy_capable)


def look(ctx: Context) -> Fleet:
    """Read the heartbeats; a database that does not answer is a doubt, not an error."""
    return _judged(ctx, Instances(ctx.config.legacy.dsn, ctx.root, _STATEMENT_TIMEOUT).look())


def wait_for_epoch(
    ctx: Context, epoch: int, *, at_most: timedelta, check: Callable[[], None]
) -> tuple[str, ...]:
    """Wait until every expected and every living instance has seen an epoch.

    Args:
        ctx: The surroundings.
        epoch: The document's.
        at_most: How long.
        check: Called at each turn; raises when waiting makes no sense any more.

    Returns:
        Who lags and what is not known; empty when all follow.
    """
    until = ctx.clock.now() + at_most
    while True:
        check()
        lagging = look(ctx).lagging(epoch)
        if not lagging or ctx.clock.now() >= until:
            return lagging
        ctx.clock.sleep(POLL_S)


def moved_users(ctx: Context) -> int | None:
    """Count the users whose home is Auther; None when the database does not say in 5 s."""
    try:
        with reading(
            ctx.config.legacy.dsn,
            ctx.root,
            "migrator_identity",
            application_name="migrator dual-path",
            statement_timeout=HURT_TIMEOUT,
        ) as connection:
            query = load("migrator.runner.switching", "fleet.sql")["moved_users"]
            row = connection.execute(query.encode(), (ctx.config.legacy.model,)).fetchone()
    except MigratorError:
        return None
    return None if row is None else int(row[0])


def _judged(ctx: Context, found: FleetLook) -> Fleet:
    within = ctx.config.stage.heartbeat_within
    living = alive(found, within=within)
    doubts = coverage_doubts(
        found,
        scraped={beat.instance for beat in living},
        expected=ctx.config.stage.expected_instances,
        within=within,
    )
    return Fleet(living, tuple(doubt.reason for doubt in doubts))
