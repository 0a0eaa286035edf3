"""What is measured, in the language of Prometheus: from the shims' own metrics, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.metrics.exported import (
    DURATION,
    ERRORS,
    INFO,
    KEY_FETCHES,
    LOGINS,
    LOGINS_FAILED,
    LOGINS_REFUSED,
    REQUESTS,
)
from migrator.metrics.health import ENOUGH, P95
from migrator.metrics.measures import CONFLICTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from migrator.config.gate import Measurement

WEEKS = ("1w", "2w")
_CONFLICT = f'reason=~"{"|".join(sorted(CONFLICTS))}"'
_LEGACY = ('path="legacy"', 'outcome="accepted"', 'synthetic="0"')
_REAL, _UNAVAILABLE = 'synthetic="0"', 'outcome="unavailable"'
# Recorded, so that it can be looked at as it was weeks ago.
SIGN_INS = "migrator:sign_ins:1h"


def promql_duration(span: timedelta) -> str:
    """Write a duration for Prometheus, whole milliseconds at least."""
    left = round(span.total_seconds() * 1000)
    if not left:
        return "0s"
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if left % size == 0:
            return f"{left // size}{unit}"
    return f"{left}ms"


@dataclass(frozen=True)
class Promql:
    """Writes expressions about one migration's series.

    Attributes:
        match: Labels that the instances' series have in this Prometheus, and no others' have.
    """

    match: Mapping[str, str] = field(default_factory=dict)

    def series(self, name: str, *matchers: str) -> str:
        """Select the series of a metric."""
        own = [f"{label}={json.dumps(value)}" for label, value in self.match.items()]
        inside = ",".join([*matchers, *own])
        return f"{name}{{{inside}}}" if inside else name

    def count(self, name: str, *matchers: str, window: str) -> str:
        """Count events; zero where none was ever counted, nothing where no instance is scraped."""
        return (
            f"(sum(increase({self.series(name, *matchers)}[{window}]))"
            f" or 0 * count({self.series(INFO)}))"
        )

    def ratio(self, part: str, whole: str) -> str:
        """Divide, where there is enough to tell; zero in doubt, since nobody is to be woken for it."""
        return f"({part} / ({whole} >= {ENOUGH}) or 0 * {whole})"

    def of(self, measure: Measurement, window: str) -> str | None:
        """Give a measurement's expression; None for what only the migrator knows."""
        counted: dict[Measurement, tuple[str, ...]] = {
            "legacy_requests": (REQUESTS, *_LEGACY),
            "total_requests": (REQUESTS, _REAL),
            "identity_conflicts": (REQUESTS, _CONFLICT),
            "verification_unavailable": (REQUESTS, _UNAVAILABLE),
            "jwks_failures": (KEY_FETCHES, 'result="failed"'),
            "login_refusals": (LOGINS_REFUSED,),
        }
        if measure in counted:
            return self.count(*counted[measure], window=window)
        made = {
            "error_ratio": self._error_ratio,
            "sign_in_success": self._sign_in_success,
            "sign_in_failures": self._sign_in_failures,
            "shim_p95_seconds": self._p95,
        }.get(measure)
        return None if made is None else made(window)

    def quantile(self, share: float, window: str) -> str:
        """Give a quantile of the time that requests wait for the shim, in seconds."""
        buckets = self.series(f"{DURATION}_bucket")
        found = f"histogram_quantile({share:g}, sum by (le) (rate({buckets}[{window}])))"
        # Without requests there is no quantile; that is no reason to wake anybody.
        return f"({found} >= 0 or 0 * count({self.series(INFO)}))"

    def sign_ins(self) -> str:
        """Count people who signed in within an hour; what went on by itself is taken out."""
        logins = self.count(LOGINS, 'door!="remember_me"', window="1h")
        nobody = (
            self.count(f"auth_{kind}_total", 'result="ok"', window="1h")
            for kind in ("exchanges", "renewals")
        )
        return " - ".join((logins, *nobody))

    def _p95(self, window: str) -> str:
        return self.quantile(P95, window)

    def _error_ratio(self, window: str) -> str:
        unavailable = self.count(REQUESTS, _UNAVAILABLE, window=window)
        errors = f"({unavailable} + {self.count(ERRORS, window=window)})"
        return self.ratio(errors, self.count(REQUESTS, _REAL, window=window))

    def _sign_in_success(self, _window: str) -> str:
        usual = " + ".join(f"{SIGN_INS} offset {week}" for week in WEEKS)
        # As usual in doubt: without the weeks before, or where too few sign in at this time.
        return f"({SIGN_INS} / (({usual}) / {len(WEEKS)} >= {ENOUGH}) or 1 + 0 * {SIGN_INS})"

    def _sign_in_failures(self, _window: str) -> str:
        failed = self.count(LOGINS_FAILED, window="1h")
        return self.ratio(failed, f"({failed} + {SIGN_INS})")
