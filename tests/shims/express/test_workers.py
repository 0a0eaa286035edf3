"""Several worker processes of one instance: one set of counters, one heartbeat, one stage."""

from collections.abc import Iterator

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts import require
from tests.parts.express import prepare
from tests.shims.express.club import Club

pytestmark = pytest.mark.xdist_group("express")
REQUESTS = 60


@pytest.fixture(scope="module")
def cluster(express_dsn: str) -> Iterator[Club]:
    """Three workers."""
    require("express")
    with Issuer() as issuer:
        app = prepare(
            express_dsn, issuer, extra={"WORKERS": "3", "MIGRATOR_INSTANCE": "cluster-1"}
        )
        app.start()
        yield Club(app, issuer, express_dsn)
        app.remove()


def anonymous(cluster: Club) -> int:
    return cluster.count("auth_requests_total", path="none", outcome="anonymous")


def test_any_worker_answers_with_the_sum_and_a_restart_takes_nothing_away(cluster: Club) -> None:
    before = anonymous(cluster)
    for _ in range(REQUESTS):
        # A connection each, so that the workers take turns.
        with cluster.browser() as client:
            client.get("/whoami")
    cluster.wait_for(lambda: {anonymous(cluster) for _ in range(8)} == {before + REQUESTS})
    began = {s.value for s in cluster.samples() if s.name == "migrator_process_start_time_seconds"}
    files = len(list((cluster.app.folder / "counters").glob("*.json")))
    cluster.app.stop()
    cluster.app.start()
    cluster.wait_for(lambda: {anonymous(cluster) for _ in range(8)} == {before + REQUESTS})
    name = "migrator_process_start_time_seconds"
    assert {s.value for s in cluster.samples() if s.name == name} == began
    assert len(list((cluster.app.folder / "counters").glob("*.json"))) == files


def test_the_instance_reports_its_epoch(cluster: Club) -> None:
    cluster.app.stage.set(Stage.DUAL, percent=5.0)
    epoch = cluster.app.stage.document.epoch
    query = "SELECT stage, epoch, source FROM migrator_instance WHERE instance = 'cluster-1'"
    cluster.wait_for(lambda: cluster.sql(query) == [("dual", epoch, "live")])
