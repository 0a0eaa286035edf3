from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import pytest
from pydantic import ValidationError

from migrator.config.gate import GateSection
from migrator.gates.spec import GateSpec
from tests.gates.specs import spec

QUIET = {"name": "quiet", "before": "auther", "measure": "legacy_requests", "span": "24h"}
CHANGED = {
    "name": "other",
    "before": "remove",
    "measure": "total_requests",
    "at_most": 1.0,
    "at_least": 1.0,
    "leave_above": 1.0,
    "leave_below": 0.0,
    "consecutive": 4,
    "span": timedelta(hours=1),
    "interval": timedelta(seconds=1),
    "control": False,
    "subject": "2 at []",
}


@pytest.mark.parametrize("name", [field.name for field in fields(GateSpec)])
def test_any_change_gives_another_hash(name: str) -> None:
    assert spec(**{name: CHANGED[name]}).hash != spec().hash
    assert spec().hash == spec().hash


def test_a_silence_may_last_two_intervals_and_a_tenth_of_the_span() -> None:
    assert spec().longest_gap == timedelta(minutes=3)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({}, "proves nothing"),
        ({"at_most": 0, "control": False}, "legacy_requests needs the control"),
        ({"at_most": 2, "leave_above": 1}, "leave_above"),
        ({"leave_above": 1, "at_least": 1}, "leave_above"),
        ({"at_least": 1, "leave_below": 2}, "leave_below"),
        ({"at_most": 0, "interval": "0s"}, "interval must be longer"),
        ({"at_most": 0, "consecutive": 0}, "greater than or equal to 1"),
    ],
)
def test_a_gate_that_cannot_prove_anything_is_a_configuration_error(
    keys: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        GateSection.model_validate(QUIET | keys)
