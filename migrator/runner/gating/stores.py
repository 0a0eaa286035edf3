"""The application's session store, and its census where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.runner.gating.forecasting import issued_until
from migrator.runner.gating.silence import acknowledged_silence
from migrator.runner.stages import current
from migrator.sessions.census import reached_so_far
from migrator.sessions.census_store import CensusStore
from migrator.sessions.interface import Place
from migrator.sessions.kept import KeptStore, kept_count
from migrator.sessions.proven import ProvenStore
from migrator.sessions.registry import store_of
from migrator.sessions.remembered import Remembered

if TYPE_CHECKING:
    from migrator.runner.context import Context
    from migrator.sessions.interface import Store


def session_store(ctx: Context) -> ProvenStore:
    """Give the store that the configuration names, with its control.

    Raises:
        UsageError: It needs a package that is not installed.
    """
    return ProvenStore(
        place_of(ctx),
        _counted_store(ctx),
        ctx.state.checkpoints,
        alive_within=ctx.config.drain.sessions_alive_within,
        silence=acknowledged_silence(ctx),
    )


def _counted_store(ctx: Context) -> Store:
    """Give the store by its census where there is one."""
    place, legacy, checkpoints = place_of(ctx), ctx.config.legacy, ctx.state.checkpoints
    if legacy.session_store == "activerecord":
        reached = reached_so_far(checkpoints, legacy.sessions_table, legacy.model)
        if reached is not None:
            return CensusStore(place, reached)
    kept, store = kept_count(checkpoints, legacy), store_of(place)
    return KeptStore(place, store, kept, ctx.config.drain.census_good_for) if kept else store


def remembered(ctx: Context) -> Remembered:
    """Give what counts remember-me tokens."""
    return Remembered(place_of(ctx), issued_until(ctx, current(ctx)))


def place_of(ctx: Context) -> Place:
    """Say where the sessions are."""
    return Place(ctx.config.legacy, ctx.root, ctx.config.drain.statement_timeout, ctx.clock)
