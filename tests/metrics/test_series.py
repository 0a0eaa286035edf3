from __future__ import annotations

from datetime import timedelta

import pytest

from migrator.metrics.interface import Grade, Labels, ShimLook
from migrator.metrics.series import Series, shims_of

NOW_S = 1_800_000_000.0
TARGET = {"job": "shop", "instance": "10.0.0.5:3000"}
REQUESTS = {"path": "legacy", "outcome": "accepted", "stage": "drain", "synthetic": "0"}
INFO = {"build": "1", "baked": "dual", "stage": "drain", "epoch": "7", "source": "live"}


def scrape(*, age_s: float = 1, count: float = 3, **target: str) -> list[Series]:
    at_ms = round((NOW_S - age_s) * 1000)
    labels = {**TARGET, **target}
    return [
        Series({"__name__": "up", **labels}, at_ms, 1),
        Series({"__name__": "auth_requests_total", **labels, **REQUESTS}, at_ms, count),
        Series(
            {"__name__": "migrator_shim_info", **labels, **INFO, "exported_instance": "web-1"},
            at_ms,
            1,
        ),
        Series({"__name__": "migrator_process_start_time_seconds", **labels}, at_ms, NOW_S - 9),
    ]


def read(*series: Series) -> tuple[ShimLook, ...]:
    return shims_of(series, now_s=NOW_S, stale_after=timedelta(seconds=45))


def test_a_scrape_becomes_a_process_and_an_empty_reason_is_one() -> None:
    (found,) = read(*scrape())
    assert found.address == "10.0.0.5:3000"
    assert found.process is not None
    assert found.process.instance == "web-1"
    assert found.process.requests == {
        Labels("legacy", "accepted", "drain", "", synthetic=False): 3
    }


def test_series_that_ended_before_the_newest_scrape_are_left_out() -> None:
    before = scrape(age_s=16)[2]
    moved = before._replace(labels={**before.labels, "stage": "dual", "epoch": "6"})
    (found,) = read(*scrape(), moved)
    assert found.process is not None
    assert (found.process.stage, found.process.epoch) == ("drain", 7)


def test_an_old_scrape_is_stale() -> None:
    (found,) = read(*scrape(age_s=46))
    assert found.process is None
    assert [doubt.grade for doubt in found.doubts] == [Grade.STALE]
    assert found.doubts[0].reason == "10.0.0.5:3000: the newest scrape is 46s old"


def test_a_target_whose_labels_changed_is_ambiguous_while_both_are_fresh() -> None:
    (both,) = read(*scrape(age_s=40, version="1"), *scrape(version="2"))
    assert [doubt.grade for doubt in both.doubts] == [Grade.AMBIGUOUS]
    (later,) = read(*scrape(age_s=50, version="1"), *scrape(version="2"))
    assert later.process is not None


def test_a_target_s_labels_of_the_same_names_push_the_shim_s_own_aside() -> None:
    series = [
        one._replace(
            labels={
                ("exported_" if name == "stage" else "") + name: v
                for name, v in one.labels.items()
            }
            | {"stage": "production"}
        )
        for one in scrape()
    ]
    (found,) = read(*series)
    assert found.process is not None
    assert found.process.stage == "drain"


def test_a_target_s_own_label_client_is_no_kind_of_client() -> None:
    older = scrape(client="acme")
    kinds = [one._replace(labels={**one.labels, "exported_client": "app"}) for one in older[1:2]]
    for series, client in ((older, "unknown"), ([*older[:1], *kinds, *older[2:]], "app")):
        (found,) = read(*series)
        assert found.process is not None
        assert [labels.client for labels in found.process.requests] == [client]


def test_honor_labels_mixes_instances_up_and_is_a_doubt() -> None:
    series = scrape()
    labels = {**series[2].labels, "instance": series[2].labels["exported_instance"]}
    del labels["exported_instance"]
    found = read(*series[:2], series[2]._replace(labels=labels), series[3])
    assert [shim.process for shim in found] == [None, None]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1])
def test_a_value_that_is_no_count_is_ambiguous(value: float) -> None:
    (found,) = read(*scrape(count=value))
    assert [doubt.grade for doubt in found.doubts] == [Grade.AMBIGUOUS]
