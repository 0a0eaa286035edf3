"""What a measurement is about: another subject makes another gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.redact import scrub

if TYPE_CHECKING:
    from migrator.config.gate import Measurement
    from migrator.config.model import Config

# What these say stays true whatever the stage and whoever reports; the others count requests and sessions.
LASTING: frozenset[Measurement] = frozenset(
    {
        "import_differences",
        "sync_lag_seconds",
        "sync_lag_rows",
        "write_back_lag_seconds",
        "write_back_open_users",
        "canaries_refused",
        "shadow_refused_share",
        "sign_in_load",
        "unacknowledged_users",
        "rollbacks",
        "refused_reads",
    }
)

_OF_A_WINDOW: frozenset[Measurement] = frozenset(
    {"error_ratio", "shim_p95_seconds", "jwks_failures", "login_refusals"}
)


def subject_of(config: Config, measure: Measurement) -> str:
    """Name what is measured: tables, addresses, expected instances; no password."""
    legacy = config.legacy
    users = f"{config.migration.name} {legacy.model}"
    seen = f"{legacy.model} within {config.drain.seen_within}"
    at_auther = config.auther.base_url
    subjects: dict[Measurement, str] = {
        "legacy_sessions": f"{legacy.model} in {legacy.session_store} {legacy.sessions_place}",
        "refused_reads": f"{config.remove.server_log} for {', '.join(config.remove.tables)}",
        "sign_in_load": f"{config.auther.peak_sign_ins_per_s} at {at_auther}",
        "auther_sign_ins": at_auther,
        "auther_sign_in_failures": at_auther,
        "auther_rehash_failures": at_auther,
        "unrehashed_users": at_auther,
        "legacy_homes": seen,
        "users_seen_on_legacy": seen,
    }
    counted = f"{config.stage.expected_instances} at {_counters(config)}"
    if measure in _OF_A_WINDOW:
        return f"{counted} within {config.drain.health_window}"
    return subjects.get(measure, users if measure in LASTING else counted)


def _counters(config: Config) -> str:
    drain = config.drain
    if drain.counters == "logs":
        return f"logs {sorted((log.instance, log.files) for log in drain.logs)}"
    if drain.prometheus is not None and drain.counters == "prometheus":
        address = scrub(drain.prometheus.url)
        return f"prometheus {address} {sorted(drain.prometheus.match.items())}"
    return str(sorted(drain.shims))
