"""Asks the sources that a set of measurements needs, once and together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.metrics.bound import refused_from
from migrator.metrics.canary_check import CanaryCheck
from migrator.metrics.capacity_check import CapacityCheck
from migrator.metrics.import_check import ImportCheck
from migrator.metrics.instances import Instances
from migrator.metrics.interface import Look, SessionsLook, Source
from migrator.metrics.rehearsal import Rehearsal
from migrator.metrics.session_data import warden_scope
from migrator.metrics.session_store import ActiveRecordSessions, UncountedSessions
from migrator.metrics.shadow_check import ShadowCheck, Shadowed
from migrator.metrics.shim_counters import ShimCounters
from migrator.metrics.sync_check import SyncCheck
from migrator.metrics.write_back_check import WriteBackCheck
from migrator.runner.gating.acknowledging import pinned_users
from migrator.runner.importing.shadow import shadow_proof
from migrator.runner.listening.refusals import Refusals
from migrator.runner.stages import current

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from migrator.config.secrets import SecretRef
    from migrator.metrics.measures import SourceName
    from migrator.runner.context import Context


def look(ctx: Context, sources: Collection[SourceName]) -> Look:
    """Measure once.

    Raises:
        UsageError: A secret that a source needs is missing.
    """
    ready = {name: SOURCES[name](ctx) for name in sources}
    found: dict[str, Any] = {name: source.look() for name, source in ready.items()}
    return Look(at=ctx.clock.now(), deadline=refused_from(current(ctx)), **found)


def _shims(ctx: Context) -> ShimCounters:
    drain = ctx.config.drain
    return ShimCounters(
        addresses=drain.shims,
        metrics_token=_reveal(ctx, drain.metrics_token),
        control_secret=_reveal(ctx, drain.control_secret),
        timeout=drain.statement_timeout,
        fresh_for=ctx.config.stage.heartbeat_within,
        clock=ctx.clock,
    )


def _reveal(ctx: Context, secret: SecretRef | None) -> str:
    return "" if secret is None else ctx.reveal(secret)


def _fleet(ctx: Context) -> Instances:
    return Instances(ctx.config.legacy.dsn, ctx.root, ctx.config.drain.statement_timeout)


def _sessions(ctx: Context) -> Source[SessionsLook]:
    legacy = ctx.config.legacy
    if legacy.session_store != "activerecord":
        return UncountedSessions(legacy.session_store)
    return ActiveRecordSessions(
        dsn=legacy.dsn,
        root=ctx.root,
        table=legacy.sessions_table,
        scope=warden_scope(legacy.model),
        timeout=ctx.config.drain.statement_timeout,
        clock=ctx.clock,
    )


def _import_check(ctx: Context) -> ImportCheck:
    return ImportCheck(ctx.state.ledger, ctx.clock)


def _sync_check(ctx: Context) -> SyncCheck:
    return SyncCheck(ctx.state.checkpoints, ctx.clock)


def _write_back_check(ctx: Context) -> WriteBackCheck:
    return WriteBackCheck(ctx.state.checkpoints, ctx.clock)


def _canary_check(ctx: Context) -> CanaryCheck:
    return CanaryCheck(ctx.state.ledger, ctx.clock)


def _shadow_check(ctx: Context) -> ShadowCheck:
    def read() -> Shadowed:
        found = shadow_proof(ctx)
        checks = found.checks
        return Shadowed(found.bound, checks.users, checks.mismatched, checks.newest)

    return ShadowCheck(read, ctx.clock)


def _capacity_check(ctx: Context) -> CapacityCheck:
    auther = ctx.config.auther
    return CapacityCheck(
        ctx.state.checkpoints, ctx.clock, auther.base_url, auther.peak_sign_ins_per_s
    )


def _rehearsal(ctx: Context) -> Rehearsal:
    return Rehearsal(ctx.state.ledger)


SOURCES: dict[SourceName, Callable[[Context], Source[object]]] = {
    "shims": _shims,
    "fleet": _fleet,
    "sessions": _sessions,
    "import_check": _import_check,
    "sync_check": _sync_check,
    "write_back_check": _write_back_check,
    "canary_check": _canary_check,
    "shadow_check": _shadow_check,
    "capacity_check": _capacity_check,
    "pinned_users": pinned_users,
    "rehearsal": _rehearsal,
    "refusals": Refusals,
}
