"""The exported flag, evaluated by flagd's own engine, agrees with the shims to the last browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

from migrator.core.stage import Stage, StageDocument, bucket
from migrator.runner.switching.flagd import definition

DOCUMENT = StageDocument("club", 7, Stage.DUAL, 12.34, "5a17", "2026-11-27T00:00:00Z", "00", 1)


def login(document: StageDocument, **attributes: Any) -> str:
    engine = FlagdCore()
    engine.set_flags(definition(document))
    context = EvaluationContext(attributes=attributes)
    return str(engine.resolve_string_value("migrator-login", "?", context).value)


@pytest.mark.parametrize(
    ("attributes", "side"),
    [
        ({}, "legacy"),
        ({"migratorBucket": 0}, "auther"),
        ({"migratorBucket": 12_339}, "auther"),
        ({"migratorBucket": 12_340}, "legacy"),
        ({"migratorBucket": 99_999, "migratorCohort": "staff"}, "auther"),
        ({"migratorCohort": "guests"}, "legacy"),
    ],
)
def test_in_dual_bucket_and_cohort_decide(attributes: dict[str, Any], side: str) -> None:
    assert login(replace(DOCUMENT, cohorts=("staff",)), **attributes) == side


def test_without_cohorts_nobody_is_in_one() -> None:
    assert login(DOCUMENT, migratorCohort="staff") == "legacy"


@pytest.mark.parametrize("stage", [Stage.LEGACY, Stage.DRAIN, Stage.AUTHER])
def test_outside_of_dual_the_stage_decides(stage: Stage) -> None:
    side = "legacy" if stage is Stage.LEGACY else "auther"
    assert login(replace(DOCUMENT, stage=stage), migratorBucket=0) == side


def test_the_stage_itself_is_a_flag() -> None:
    engine = FlagdCore()
    engine.set_flags(definition(DOCUMENT))
    assert engine.resolve_string_value("migrator-stage", "?", EvaluationContext()).value == "dual"


def test_the_share_of_browsers_is_the_percentage() -> None:
    browsers = [bucket(DOCUMENT.salt, f"browser-{n}") for n in range(1000)]
    engine = FlagdCore()
    engine.set_flags(definition(DOCUMENT))
    at_auther = sum(
        engine.resolve_string_value(
            "migrator-login", "?", EvaluationContext(attributes={"migratorBucket": one})
        ).value
        == "auther"
        for one in browsers
    )
    assert at_auther == sum(one < 12_340 for one in browsers)
    assert 90 < at_auther < 160
