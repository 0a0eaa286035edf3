"""Two worker processes that a server forked from one: what adds up, who reports, who follows the switch."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.core.stage import Stage
from tests.parts.django import prepare
from tests.shims.django.club import DjangoClub

pytestmark = pytest.mark.xdist_group("django")
REQUESTS = 40
WORKERS = 2
REPORTING = "SELECT count(*) FROM migrator_instance WHERE instance LIKE '%%#%%'"


@pytest.fixture
def pair(running: DjangoClub, tmp_path: Path) -> Iterator[DjangoClub]:
    """An application of two workers that share their counters."""
    extra = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "MIGRATOR_INSTANCE": ""}
    app = prepare(running.dsn, running.issuer, extra=extra)
    app.workers = WORKERS
    app.start()
    yield DjangoClub(app, running.issuer, running.dsn)
    app.remove()


def test_workers_add_up_report_under_their_own_names_and_follow_the_switch(
    pair: DjangoClub,
) -> None:
    def ask() -> None:
        # A connection each, so that the workers take turns.
        with pair.browser() as client:
            assert client.get("/whoami").status_code == 200

    for _ in range(REQUESTS):
        ask()
    counted = {pair.count("auth_requests_total", path="none", synthetic="0") for _ in range(8)}
    assert counted == {REQUESTS}

    def both_have_begun() -> bool:
        ask()
        return pair.sql(REPORTING) == [(WORKERS,)]

    pair.wait_for(both_have_begun)
    pair.app.stage.set(Stage.DRAIN)
    epoch = pair.app.stage.document.epoch
    query = f"{REPORTING} AND epoch = %s AND stage = 'drain'"
    pair.wait_for(lambda: pair.sql(query, epoch) == [(WORKERS,)])
