"""A stage that begins although a gate holds: two people let it, once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.config.gate import GateSection
from migrator.core.errors import RefusedError
from migrator.core.stage import Stage
from migrator.gates.verdict import GateState
from phases import p2_dual_path, p3_drain

if TYPE_CHECKING:
    from tests.phases.switching import Switching

GATE = GateSection.model_validate(
    {
        "name": "conflicts",
        "before": "dual",
        "measure": "identity_conflicts",
        "at_most": 0,
        "span": "1h",
    }
)


@pytest.fixture
def held(site: Switching) -> Switching:
    """The gate before `dual` failed."""
    config = site.ctx.config.model_copy(update={"gates": (GATE,)})
    held = replace(site, ctx=replace(site.ctx, config=config))
    held.pass_gates("dual", GateState.FAILED)
    return held


def test_the_stage_that_begins_by_an_override_names_and_spends_it(held: Switching) -> None:
    with pytest.raises(RefusedError):
        p2_dual_path.run(held.ctx, Stage.DUAL)
    given = p3_drain.override(held.ctx, "conflicts", reason="a test", confirmation="conflicts")
    assert p2_dual_path.plan(held.ctx, Stage.DUAL).held == (), "a plan spends nothing"
    p2_dual_path.run(held.ctx, Stage.DUAL)
    intent = held.ctx.state.ledger.latest("stage", "set", kind="intent")
    assert intent is not None
    assert intent.body["overrides"] == [given.entry]
    p2_dual_path.rollback(held.ctx)
    with pytest.raises(RefusedError):
        p2_dual_path.run(held.ctx, Stage.DUAL)
