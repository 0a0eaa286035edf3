"""Two worker processes behind one address: what adds up and who reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.core.stage import Stage
from tests.parts.asgi import prepare
from tests.shims.asgi.club import BOB, Club

REQUESTS = 60


@pytest.fixture
def pair(club: Club, tmp_path: Path) -> Iterator[Club]:
    """An application of two workers that share their counters."""
    shared = tmp_path / "counters"
    shared.mkdir()
    extra = {"PROMETHEUS_MULTIPROC_DIR": str(shared), "MIGRATOR_INSTANCE": ""}
    app = prepare(club.dsn, club.issuer, extra=extra)
    app.workers = 2
    club.sql("DELETE FROM migrator_instance")
    app.start()
    yield Club(app, club.issuer, club.dsn, sessions=club.sessions)
    app.remove()


def test_any_worker_answers_with_the_sum_and_each_reports_under_its_own_name(pair: Club) -> None:
    for _ in range(REQUESTS):
        assert pair.browser(signed_in=BOB).get("/me").status_code == 200

    totals = {pair.requests_counted()["legacy", "accepted", ""] for _ in range(10)}
    assert totals == {REQUESTS}

    names = "SELECT instance FROM migrator_instance WHERE instance LIKE '%%#%%'"
    pair.wait_for(lambda: len(pair.sql(names)) == 2)


def test_both_workers_follow_the_switch(pair: Club) -> None:
    pair.app.stage.set(Stage.DRAIN)
    epoch = pair.app.stage.document.epoch
    query = "SELECT count(*) FROM migrator_instance WHERE epoch = %s AND stage = 'drain'"

    pair.wait_for(lambda: pair.sql(query, epoch) == [(2,)])
