"""Looks at the only gate before `auther`, as a person would take them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from migrator.gates.verdict import GateState
from phases import p3_drain

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from migrator.core.clock import Clock
    from migrator.gates.verdict import Verdict
    from tests.parts.drain import Drain

PATIENCE_S = 60
GOOD = {GateState.ACCUMULATING, GateState.PASSED}


def prepared(drain: Drain, monkeypatch: pytest.MonkeyPatch) -> Drain:
    for name, value in drain.env.items():
        monkeypatch.setenv(name, value)
    drain.prepare()
    return drain


def look(drain: Drain, *, clock: Clock | None = None) -> Verdict:
    """Take a sample for the only gate before `auther`."""
    ctx = drain.context(clock=clock)
    (verdict,) = p3_drain.run(ctx, p3_drain.plan(ctx, step="auther"))
    return verdict


def look_until(drain: Drain, wanted: Callable[[Verdict], bool]) -> Verdict:
    ends = time.monotonic() + PATIENCE_S
    while not wanted(verdict := look(drain)):
        assert time.monotonic() < ends, verdict
    return verdict


def is_good(verdict: Verdict) -> bool:
    return verdict.state in GOOD


def is_held(verdict: Verdict) -> bool:
    return verdict.state is GateState.HELD


def is_passed(verdict: Verdict) -> bool:
    return verdict.state is GateState.PASSED
