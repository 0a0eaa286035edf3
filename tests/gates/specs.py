"""Specifications and samples for the tests of gates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from migrator.gates.evaluate import Sample
from migrator.gates.spec import GateSpec
from migrator.metrics.interface import Grade

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_QUIET = GateSpec(
    name="legacy-quiet",
    before="auther",
    measure="legacy_requests",
    at_most=0,
    at_least=None,
    leave_above=None,
    leave_below=None,
    consecutive=3,
    span=10 * MINUTE,
    interval=MINUTE,
    control=True,
    subject="1 at ['http://10.0.0.5']",
)


def spec(**changes: Any) -> GateSpec:
    """Give the gate `legacy-quiet` with changes: 3 in a row over 10 minutes, each minute one."""
    return replace(_QUIET, **changes)


def sample(minute: float, grade: Grade = Grade.OK, *, of: GateSpec = _QUIET) -> Sample:
    """Give a sample taken so many minutes after the beginning."""
    value = {Grade.OK: 0.0, Grade.BREACH: 1.0}.get(grade)
    return Sample(AT + minute * MINUTE, grade, value, f"is {grade}", of.hash)
