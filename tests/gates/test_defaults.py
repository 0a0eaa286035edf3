from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from migrator.config.gate import GateSection
from migrator.metrics.registry import ALL_MEASURES

TEMPLATE = (files("migrator.config") / "template.toml").read_text(encoding="utf-8")
GATES = [GateSection.model_validate(gate) for gate in tomllib.loads(TEMPLATE)["gates"]]


@pytest.mark.parametrize(
    ("step", "measures"),
    [
        ("dual", {"import_differences", "canaries_refused", "sync_lag_seconds"}),
        (
            "drain",
            {
                "shadow_refused_share",
                "sign_in_load",
                "rollbacks",
                "write_back_lag_seconds",
                "total_requests",
                "identity_conflicts",
                "verification_unavailable",
                "sign_in_success",
                "error_ratio",
            },
        ),
        (
            "auther",
            {
                "unacknowledged_users",
                "write_back_lag_seconds",
                "legacy_requests",
                "legacy_sessions",
                "total_requests",
                "identity_conflicts",
                "verification_unavailable",
                "sign_in_success",
                "error_ratio",
            },
        ),
        (
            "remove",
            {"legacy_requests", "total_requests", "verification_unavailable", "error_ratio"},
        ),
    ],
)
def test_every_step_is_guarded_in_a_new_configuration(step: str, measures: set[str]) -> None:
    assert {gate.measure for gate in GATES if gate.before == step} == measures


def test_what_must_be_zero_is_zero_and_a_quiet_path_comes_with_traffic() -> None:
    for gate in GATES:
        if gate.measure in {"legacy_requests", "legacy_sessions", "import_differences"}:
            assert (gate.at_most, gate.leave_above) == (0, None)
    quiet = {gate.before for gate in GATES if gate.measure == "legacy_requests"}
    assert quiet == {gate.before for gate in GATES if gate.measure == "total_requests"} - {"drain"}


def test_every_measurement_of_the_configuration_can_be_taken() -> None:
    allowed = GateSection.model_fields["measure"].annotation
    assert set(ALL_MEASURES) == set(allowed.__args__)  # type: ignore[union-attr]
