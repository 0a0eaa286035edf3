"""What a shim exports, alike in every language: names, labels, and the buckets of its histogram."""

from __future__ import annotations

REQUESTS = "auth_requests_total"
INFO = "migrator_shim_info"
STARTED = "migrator_process_start_time_seconds"
LOGINS = "auth_logins_total"
LOGINS_FAILED = "auth_logins_failed_total"
LOGINS_REFUSED = "auth_logins_refused_total"
KEY_FETCHES = "auth_jwks_fetch_total"
# Requests that the shim let through and the application answered with a 5xx.
ERRORS = "auth_errors_total"
# How long requests wait for the shim's decision; a histogram.
DURATION = "auth_decision_duration_seconds"
DURATION_BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
DETECTOR = "auth_detector_sees_fixture"

LABELS: dict[str, frozenset[str]] = {
    REQUESTS: frozenset({"path", "outcome", "stage", "reason", "client", "synthetic"}),
    INFO: frozenset({"instance", "build", "baked", "stage", "epoch", "source"}),
    STARTED: frozenset(),
    LOGINS: frozenset({"door", "side"}),
    LOGINS_FAILED: frozenset({"reason"}),
    LOGINS_REFUSED: frozenset({"door", "stage"}),
    KEY_FETCHES: frozenset({"result"}),
    ERRORS: frozenset({"path"}),
    f"{DURATION}_bucket": frozenset({"le"}),
    f"{DURATION}_sum": frozenset(),
    f"{DURATION}_count": frozenset(),
    DETECTOR: frozenset(),
    "auth_captures_total": frozenset({"result"}),
    "auth_shadow_checks_total": frozenset({"result"}),
    "auth_logouts_total": frozenset({"auther"}),
    "auth_exchanges_total": frozenset({"result"}),
    "auth_renewals_total": frozenset({"result"}),
    "auth_jit_total": frozenset({"result"}),
}
