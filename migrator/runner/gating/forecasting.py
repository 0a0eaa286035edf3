"""Forecasts the drain from what was counted, and remembers both."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from migrator.core.clock import parse_iso
from migrator.core.stage import Stage
from migrator.dashboards.drain_picture import ForecastRow
from migrator.metrics.forecast import Counted, Lifetimes, forecast, median_error
from migrator.runner.stages import SUBJECT
from migrator.state.drain_history import StoredForecast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from migrator.core.stage import StageDocument
    from migrator.metrics.bound import Bound
    from migrator.metrics.interface import SessionsLook
    from migrator.runner.context import Context

KEPT_EVERY = timedelta(minutes=30)
REMOVED_WITHIN = timedelta(days=1)
RENEWED_RATIO = 0.05
CURVE_POINTS = 240


def forecasts_of(
    ctx: Context,
    found: SessionsLook | None,
    *,
    at: datetime,
    document: StageDocument | None,
    bound: Bound,
) -> tuple[ForecastRow, ...]:
    """Forecast when no session is left, and when only a small rest is; keep it twice an hour.

    Only a count without a doubt is kept. Interrupted, the look is missing from the history.
    """
    since = issued_until(ctx, document)
    if since is None:
        made = forecast((), now=at)
        return (ForecastRow(0, None, None, made.why, None, 0),)
    history = ctx.state.drain_history
    counts = [Counted(*row) for row in history.counts(since=since)]
    before = history.forecasts(since=since)
    kept_at = counts[-1].at if counts else None
    counted = found is not None and not found.doubts
    if found is not None and counted:
        counts.append(Counted(at, found.holding))
    lifetimes = lifetimes_of(found, at=at, since=since, ttl=ctx.config.legacy.session_ttl)
    made_now = [
        forecast(counts, now=at, rest=rest, since=since, lifetimes=lifetimes, latest=bound.at)
        for rest in dict.fromkeys((0, ctx.config.drain.small_rest))
    ]
    if counted and (kept_at is None or at - kept_at >= KEPT_EVERY):
        stored = [StoredForecast(at, f.rest, f.p50, f.p90, f.why) for f in made_now]
        history.add(at, counts[-1].holding, stored)
    return tuple(
        ForecastRow(f.rest, f.p50, f.p90, f.why, *_record(before, counts, f.rest))
        for f in made_now
    )


def lifetimes_of(
    found: SessionsLook | None, *, at: datetime, since: datetime, ttl: timedelta | None
) -> Lifetimes | None:
    """Give how long the sessions live on, None where that is not known of each.

    A session that is still there long after its end shows that nothing removes sessions then. One that
    was used since the drain began was renewed instead of taken over; a few of these are stragglers.
    """
    if found is None or ttl is None or found.doubts:
        return None
    # The hour in which a session was used, rounded up: it may not end before it is said to.
    ends = found.ends or [(used + timedelta(hours=1) + ttl, count) for used, count in found.used]
    if sum(count for _, count in ends) < found.holding:
        return None
    if any(end + REMOVED_WITHIN < at for end, _ in ends):
        return None
    renewed = sum(count for end, count in ends if end - timedelta(hours=1) - ttl > since)
    remaining = tuple((max(end - at, timedelta()), count) for end, count in ends)
    slides = renewed > RENEWED_RATIO * found.holding
    return Lifetimes(at, remaining, renewed_to=ttl if slides else None)


def curve_of(ctx: Context, since: datetime) -> tuple[tuple[datetime, int], ...]:
    """Give the counts kept since a time, thinned to what a curve can show; the last one always."""
    counts = ctx.state.drain_history.counts(since=since)
    every = -(-len(counts) // CURVE_POINTS) or 1
    return tuple(counts[:1] + counts[every:-1:every] + counts[1:][-1:])


def issued_until(ctx: Context, document: StageDocument | None) -> datetime | None:
    """Give when the drain began, None before; a document issued later, for a nearer deadline say, begins none."""
    if document is None or document.stage.rank < Stage.DRAIN.rank:
        return None
    for entry in reversed(ctx.state.ledger.entries(subject=SUBJECT)):
        before, after = entry.body.get("before"), entry.body.get("after")
        if before and after and _rank(before) < Stage.DRAIN.rank <= _rank(after):
            return parse_iso(entry.at)
    return parse_iso(document.issued_at)


def _rank(said: Mapping[str, Any]) -> int:
    return Stage(said["stage"]).rank


def _record(
    before: Sequence[StoredForecast], counts: Sequence[Counted], rest: int
) -> tuple[float | None, int]:
    """Give by how many hours earlier forecasts were wrong, and how many these were."""
    said = [f.p50 for f in before if f.rest == rest and f.p50 is not None and f.p50 > f.at]
    return median_error(said, counts, rest=rest), len(said)
