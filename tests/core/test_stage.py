from __future__ import annotations

import pytest

from migrator.core.errors import UsageError
from migrator.core.stage import BUCKETS, Stage, StageDocument, bucket, check_step, parse_document


def test_a_document_comes_back_as_it_was() -> None:
    document = StageDocument(
        namespace="shop",
        epoch=3,
        stage=Stage.DUAL,
        percent=12.5,
        salt="ab" * 16,
        issued_at="2026-11-23T03:00:00.000000Z",
        ledger_head="0" * 64,
        ledger_length=9,
    )
    assert parse_document(document.to_json()) == document


@pytest.mark.parametrize(
    "payload", ["[]", '{"version": 2}', '{"version": 1}', '{"version":1,"stage":"dual","x":1}']
)
def test_another_payload_is_refused(payload: str) -> None:
    with pytest.raises(ValueError, match="stage document"):
        parse_document(payload)


def test_a_stage_is_not_skipped_forward_and_may_go_back_any_number() -> None:
    check_step(Stage.LEGACY, Stage.DUAL)
    check_step(Stage.AUTHER, Stage.LEGACY)
    check_step(Stage.DUAL, Stage.DUAL)
    with pytest.raises(UsageError) as refused:
        check_step(Stage.LEGACY, Stage.DRAIN)
    assert refused.value.hint.endswith("migrator dual-path stage set dual")


def test_buckets_are_stable_and_spread() -> None:
    keys = [f"browser-{i}" for i in range(2000)]
    buckets = [bucket("salt", key) for key in keys]
    assert buckets == [bucket("salt", key) for key in keys]
    assert all(0 <= one < BUCKETS for one in buckets)
    share = sum(one < BUCKETS * 0.25 for one in buckets) / len(buckets)
    assert 0.2 < share < 0.3
