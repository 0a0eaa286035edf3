"""How well the cutover goes, from what was counted lately and in the weeks before."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any

from migrator.core.durations import format_duration
from migrator.metrics.health_counts import (
    APPLICATION_ERRORS,
    KEY_FETCHES_FAILED,
    REFUSED,
    REQUESTS,
    SIGN_INS,
    SIGN_INS_FAILED,
    UNAVAILABLE,
    quantile,
)
from migrator.metrics.interface import Doubt, Grade, Reading
from migrator.metrics.measures import Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrator.config.gate import Measurement
    from migrator.metrics.interface import HealthLook, Window
    from migrator.metrics.look import Look
    from migrator.metrics.measures import Terms

COVERED_RATIO = 0.9
# Fewer say nothing about a share.
ENOUGH = 20
WEEKS_NEEDED = 2
P95 = 0.95
_APPLICATION_UNSEEN = (
    "nobody counts the application's own errors: log lines do not, nor do older shims"
)
_REQUESTS_ONLY = (
    'log lines tell of requests only: [drain] counters = "shims" or "prometheus" tells'
)


def _of(read: Callable[[HealthLook], Reading]) -> Measure:
    def reading(look: Look, _terms: Terms) -> Reading:
        if look.health is None:
            return _no_data("nothing was counted yet")
        return read(look.health)

    return Measure(frozenset({"shims", "fleet", "health"}), reading)


def _recent(read: Callable[[Window], Reading]) -> Measure:
    def reading(found: HealthLook) -> Reading:
        window = found.recent
        return read(window) if window.covered >= COVERED_RATIO else _unseen(window)

    return _of(reading)


def _no_data(reason: str, **evidence: Any) -> Reading:
    return Reading(None, (Doubt(Grade.NO_DATA, reason),), evidence=evidence)


def _unseen(window: Window) -> Reading:
    length = format_duration(window.ends - window.begins)
    reason = f"every instance was seen in {window.covered:.0%} of the last {length}"
    return _no_data(f"{reason}, {COVERED_RATIO:.0%} needed")


def _told(read: Callable[[Window], Reading]) -> Callable[[Window], Reading]:
    """Read what only counters tell, and no log line."""
    return lambda window: (
        read(window) if window.told >= COVERED_RATIO else _no_data(_REQUESTS_ONLY)
    )


def _share(part: float, whole: float, what: str) -> Reading:
    if whole < ENOUGH:
        return _no_data(f"{whole:.0f} {what}, {ENOUGH} are needed to tell a share")
    return Reading(part / whole, evidence={"counted": round(part), what: round(whole)})


def _error_ratio(window: Window) -> Reading:
    """Give the share of requests that failed: at the shim, and at the application where its shim tells."""
    counts = window.counts
    own, application = counts.get(UNAVAILABLE, 0), counts.get(APPLICATION_ERRORS)
    found = _share(own + (application or 0), counts.get(REQUESTS, 0), "requests")
    if application is None:
        evidence = {**found.evidence, "application": "not counted"}
        return replace(found, lost=(_APPLICATION_UNSEEN,), evidence=evidence)
    return replace(found, evidence={**found.evidence, "application": round(application)})


def _sign_in_failures(found: HealthLook) -> Reading:
    window = found.hours[0]
    if window.covered < COVERED_RATIO:
        return _unseen(window)
    return _told(_failures)(window)


def _failures(window: Window) -> Reading:
    failed = window.counts.get(SIGN_INS_FAILED, 0)
    return _share(failed, failed + window.counts.get(SIGN_INS, 0), "sign-ins")


def _shim_p95(window: Window) -> Reading:
    found = quantile(window.counts, P95)
    if window.counts.get(REQUESTS, 0) < ENOUGH:
        return _no_data(f"fewer than {ENOUGH} requests")
    if found is None:
        return _no_data("no shim told how long requests wait: an older one does not")
    return Reading(found)


def _key_failures(window: Window) -> Reading:
    failed = window.counts.get(KEY_FETCHES_FAILED)
    return _no_data("no instance has fetched a key set yet") if failed is None else Reading(failed)


def _refusals(window: Window) -> Reading:
    doors = {
        name.removeprefix(REFUSED): round(count)
        for name, count in sorted(window.counts.items())
        if name.startswith(REFUSED) and count
    }
    return Reading(float(sum(doors.values())), evidence={"doors": doors})


def _sign_in_success(found: HealthLook) -> Reading:
    """Compare an hour, or a day where an hour has too few sign-ins, with that of the weeks before."""
    said = [_against_weeks_before(windows) for windows in (found.hours, found.days)]
    return next((reading for reading in said if reading.value is not None), said[0])


def _against_weeks_before(windows: Sequence[Window]) -> Reading:
    now, *before = windows
    if now.covered < COVERED_RATIO:
        return _unseen(now)
    if now.told < COVERED_RATIO:
        return _no_data(_REQUESTS_ONLY)
    seen = [w for w in before if min(w.covered, w.told) >= COVERED_RATIO]
    if len(seen) < WEEKS_NEEDED:
        reason = f"known of {len(seen)} weeks before, {WEEKS_NEEDED} are needed"
        return _no_data(reason)
    usual = median(window.counts.get(SIGN_INS, 0) for window in seen)
    length = format_duration(now.ends - now.begins)
    if usual < ENOUGH:
        reason = f"{usual:.0f} sign-ins in {length} are usual now, {ENOUGH} are needed to tell"
        return _no_data(reason)
    signed_in = now.counts.get(SIGN_INS)
    if signed_in is None:
        # Not the same as nobody: instances that began anew, or a Prometheus that drops the series.
        return _no_data("no instance has counted a sign-in since it began")
    facts = {"sign_ins": round(signed_in), "usual": round(usual), "within": length}
    return Reading(signed_in / usual, evidence=facts | {"weeks": len(seen)})


HEALTH_MEASURES: dict[Measurement, Measure] = {
    "error_ratio": _recent(_error_ratio),
    "sign_in_success": _of(_sign_in_success),
    "sign_in_failures": _of(_sign_in_failures),
    "shim_p95_seconds": _recent(_shim_p95),
    "jwks_failures": _recent(_told(_key_failures)),
    "login_refusals": _recent(_told(_refusals)),
}
