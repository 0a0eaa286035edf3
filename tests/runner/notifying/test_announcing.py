"""What is announced, and by what."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.config.notify import NotifySection
from migrator.gates.spec import specs_before
from migrator.gates.verdict import GateState, Verdict
from migrator.runner.gating.sampling import record
from phases import p2_dual_path
from tests.phases.switching import DUAL, FAR, make_switching, set_stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.phases.switching import Switching

NOTIFY = NotifySection.model_validate({"webhooks": [{"url": "env:NOBODY"}]})


@pytest.fixture
def site(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Switching:
    made = make_switching(tmp_path, fresh_db, monkeypatch)
    made.beat(epoch=FAR)
    config = made.ctx.config.model_copy(update={"notify": NOTIFY})
    return replace(made, ctx=replace(made.ctx, config=config))


def titles(site: Switching) -> list[str]:
    waiting = site.ctx.state.outbox.waiting()
    return [json.loads(one.body)["blocks"][0]["text"]["text"] for one in waiting]


def test_each_move_of_the_stage_and_each_change_of_a_gate_is_announced_once(
    site: Switching,
) -> None:
    set_stage(site, DUAL)
    p2_dual_path.rollback(site.ctx)
    assert titles(site) == [
        "club: gate before-dual before dual: PENDING -> PASSED",
        "club: the stage was moved from legacy to dual 0 %",
        "club: the stage was rolled back from dual 0 % to legacy",
    ]


def test_a_verdict_that_says_the_same_is_no_news(site: Switching) -> None:
    (spec,) = specs_before(site.ctx.config, "dual")
    for reason in ("1 is above 0", "2 is above 0"):
        record(site.ctx, Verdict(spec, GateState.FAILED, reason))
    assert titles(site) == ["club: gate before-dual before dual: PENDING -> FAILED"]
