"""Asks the sources that a set of measurements needs, once and together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.auther.live.probe import is_encrypted
from migrator.core.errors import UsageError
from migrator.core.sql import qualified
from migrator.metrics.auther_statistics import AutherCounters, Statistics, StoredPasswords
from migrator.metrics.bound import refused_from
from migrator.metrics.canary_check import CanaryCheck
from migrator.metrics.capacity_check import CapacityCheck
from migrator.metrics.control import DelayedControl
from migrator.metrics.homes import Homes
from migrator.metrics.import_check import ImportCheck
from migrator.metrics.instances import Instances
from migrator.metrics.look import Look
from migrator.metrics.prometheus import Prometheus
from migrator.metrics.rehearsal import Rehearsal
from migrator.metrics.shadow_check import ShadowCheck, Shadowed
from migrator.metrics.shim_counters import ShimCounters
from migrator.metrics.shim_logs import ShimLogs
from migrator.metrics.sync_check import SyncCheck
from migrator.metrics.write_back_check import WriteBackCheck
from migrator.runner.gating.acknowledging import pinned_users
from migrator.runner.gating.health import health_of
from migrator.runner.gating.stores import remembered, session_store
from migrator.runner.importing.shadow import shadow_proof
from migrator.runner.listening.refusals import Refusals
from migrator.runner.stages import current

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from migrator.config.drain import Counters
    from migrator.config.secrets import SecretRef
    from migrator.metrics.interface import ShimsLook, Source
    from migrator.metrics.measures import SourceName
    from migrator.runner.context import Context

ARRIVES_WITHIN = timedelta(seconds=3)
READINGS = 8


HEALTH: SourceName = "health"
FLEET: SourceName = "fleet"


def look(ctx: Context, sources: AbstractSet[SourceName]) -> Look:
    """Measure once.

    Raises:
        UsageError: A secret that a source needs is missing.
    """
    # What processes wrote down of themselves is read after their counters: whoever answered has a row by then.
    in_order = sorted(sources - {HEALTH}, key=lambda name: name == FLEET)
    ready = {name: SOURCES[name](ctx) for name in in_order}
    found: dict[str, Any] = {name: source.look() for name, source in ready.items()}
    made = Look(at=ctx.clock.now(), deadline=refused_from(current(ctx)), **found)
    # Read from what the shims have just said.
    return replace(made, health=health_of(ctx, made)) if HEALTH in sources else made


def _shims(ctx: Context) -> Source[ShimsLook]:
    return COUNTERS[ctx.config.drain.counters](ctx)


def _scraped(ctx: Context) -> ShimCounters:
    """The instances' own metrics, at the addresses in `shims`: nothing between them and the gate."""
    drain = ctx.config.drain
    return ShimCounters(
        addresses=drain.shims,
        metrics_token=_reveal(ctx, drain.metrics_token),
        control_secret=_reveal(ctx, drain.control_secret),
        timeout=drain.statement_timeout,
        fresh_for=ctx.config.stage.heartbeat_within,
        clock=ctx.clock,
    )


def _prometheus(ctx: Context) -> Prometheus:
    """The HTTP API of the Prometheus, Thanos or Mimir that scrapes them."""
    drain = ctx.config.drain
    section = drain.prometheus
    if section is None:
        raise UsageError("[drain.prometheus] is missing", hint="write url and match into it")
    return Prometheus(
        url=section.url,
        token=_reveal(ctx, section.token),
        match=section.match,
        scrape_interval=section.scrape_interval,
        timeout=drain.statement_timeout,
        max_skew=ctx.config.stage.heartbeat_within,
        control=_delayed_control(ctx, within=2 * section.scrape_interval + ARRIVES_WITHIN),
        clock=ctx.clock,
    )


def _logs(ctx: Context) -> ShimLogs:
    """The line of JSON that each shim writes for each request, followed through rotation."""
    drain = ctx.config.drain
    return ShimLogs(
        logs={log.instance: str(ctx.path(Path(log.files))) for log in drain.logs},
        checkpoints=ctx.state.checkpoints,
        timeout=drain.statement_timeout,
        control=_delayed_control(ctx, within=ARRIVES_WITHIN),
        clock=ctx.clock,
    )


def _delayed_control(ctx: Context, *, within: timedelta) -> DelayedControl:
    drain = ctx.config.drain
    return DelayedControl(
        addresses=drain.shims,
        secret=_reveal(ctx, drain.control_secret),
        timeout=drain.statement_timeout,
        within=within,
        every=within / READINGS,
        clock=ctx.clock,
    )


def _reveal(ctx: Context, secret: SecretRef | None) -> str:
    return "" if secret is None else ctx.reveal(secret)


def _fleet(ctx: Context) -> Instances:
    return Instances(ctx.config.legacy.dsn, ctx.root, ctx.config.drain.statement_timeout)


def _import_check(ctx: Context) -> ImportCheck:
    return ImportCheck(ctx.state.ledger, ctx.clock)


def _sync_check(ctx: Context) -> SyncCheck:
    return SyncCheck(ctx.state.checkpoints, ctx.clock)


def _write_back_check(ctx: Context) -> WriteBackCheck:
    return WriteBackCheck(ctx.state.checkpoints, ctx.clock)


def _statistics(ctx: Context) -> Statistics:
    api = ctx.config.auther.api
    if not is_encrypted(api):
        raise UsageError(
            "the secret for statistics would travel unencrypted",
            hint='write base_url = "https://…" under [auther] in migrator.toml',
        )
    secret = ctx.reveal(ctx.config.plugin.statistics_secret)
    return Statistics(api, secret, ctx.config.drain.statement_timeout)


def _homes(ctx: Context) -> Homes:
    legacy, drain = ctx.config.legacy, ctx.config.drain
    return Homes(
        dsn=legacy.dsn,
        root=ctx.root,
        schema=qualified(legacy.users_table)[0],
        model=legacy.model,
        seen_within=drain.seen_within,
        timeout=drain.statement_timeout,
    )


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
    "sessions": session_store,
    "remembered": remembered,
    "import_check": _import_check,
    "sync_check": _sync_check,
    "write_back_check": _write_back_check,
    "auther": lambda ctx: AutherCounters(_statistics(ctx)),
    "passwords": lambda ctx: StoredPasswords(_statistics(ctx)),
    "homes": _homes,
    "canary_check": _canary_check,
    "shadow_check": _shadow_check,
    "capacity_check": _capacity_check,
    "pinned_users": pinned_users,
    "rehearsal": _rehearsal,
    "refusals": Refusals,
}
COUNTERS: dict[Counters, Callable[[Context], Source[ShimsLook]]] = {
    "shims": _scraped,
    "prometheus": _prometheus,
    "logs": _logs,
}
