from __future__ import annotations

from migrator.metrics.interface import Labels, Process
from migrator.metrics.measures import legacy_by_client

LEGACY = Labels("legacy", "accepted", "drain", "", synthetic=False, client="browser")
APP = LEGACY._replace(client="app")
OLDER = LEGACY._replace(client="unknown")


def by_client(*requests: dict[Labels, float]) -> dict[str, int]:
    return legacy_by_client(Process("web", "1", "drain", 7, "live", 0, each) for each in requests)


def test_accepted_legacy_requests_of_all_processes_are_counted_by_kind() -> None:
    others = [
        LEGACY._replace(path="auther", client="api"),
        LEGACY._replace(outcome="refused"),
        APP._replace(synthetic=True),
    ]
    found = by_client({LEGACY: 3, APP: 1, **dict.fromkeys(others, 9)}, {LEGACY: 2})
    assert found == {"browser": 5, "app": 1, "api": 0}


def test_while_some_are_of_an_unknown_kind_a_kind_without_any_is_not_known_to_be_zero() -> None:
    assert by_client({OLDER: 4}) == {"unknown": 4}
    assert by_client({LEGACY: 3}, {OLDER._replace(path="auther"): 4}) == {"browser": 3}
