"""Forking workers, sessions in the database, and a restart with nothing but the copy of the stage."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts import require
from tests.parts.rails import prepare, settings_for
from tests.parts.ruby_shim import READ_EVERY_S
from tests.shims.rails.club import ALICE, BOB, TOKEN_COOKIE, XHR, Club, oracle, sub_of

FORK_DRIVER = Path(__file__).with_name("fork_driver.rb")
CLUSTER = {"WEB_CONCURRENCY": "2", "SESSION_STORE": "record", "MIGRATOR_INSTANCE": "cluster-1"}
ANONYMOUS = ("auth_requests_total", "outcome=anonymous", "path=none", "synthetic=0")
REQUESTS = 60


@pytest.fixture(scope="module")
def cluster(club_dsn: str, running_club: Club) -> Iterator[Club]:
    """Two workers behind one port; sessions in the table that activerecord-session_store uses."""
    require("rails")
    assert running_club.dsn == club_dsn
    running_club.reset_people()
    with Issuer() as issuer:
        app = prepare(
            club_dsn, settings_for(issuer), pepper=oracle()[BOB]["pepper"], extra=CLUSTER
        )
        app.start()
        yield Club(app, issuer, club_dsn)
        app.remove()


def set_stage_everywhere(club: Club, stage: Stage, **options: float) -> None:
    """One worker has answered that it is there; the other reads as often."""
    club.set_stage(stage, **options)
    time.sleep(READ_EVERY_S * 2)


def settled(club: Club) -> dict[tuple[str, ...], int]:
    """Wait until each worker has added its own counts to the file."""
    time.sleep(1.5)
    return club.counters()


def test_any_worker_answers_with_the_sum(cluster: Club) -> None:
    before = settled(cluster).get(ANONYMOUS, 0)
    for _ in range(REQUESTS):
        httpx.get(f"{cluster.app.base_url}/whoami", timeout=30)
    settled(cluster)
    totals = {cluster.counters()[ANONYMOUS] for _ in range(10)}
    assert totals == {before + REQUESTS}


def test_the_heartbeat_survives_the_fork(cluster: Club) -> None:
    set_stage_everywhere(cluster, Stage.DUAL, percent=50.0)
    deadline_s = time.monotonic() + 30
    rows: list[tuple[object, ...]] = []
    while time.monotonic() < deadline_s and rows != [(cluster.app.stage.document.epoch,)]:
        time.sleep(0.3)
        rows = cluster.sql("SELECT epoch FROM migrator_instance WHERE instance = 'cluster-1'")
    assert rows == [(cluster.app.stage.document.epoch,)]


def test_a_session_in_the_database_is_a_legacy_session(cluster: Club) -> None:
    set_stage_everywhere(cluster, Stage.DUAL)
    rows = cluster.sql("SELECT count(*) FROM sessions")[0][0]
    with cluster.browser(signed_in=BOB) as client:
        assert client.get("/whoami", headers=XHR).json()["user"] == BOB
        assert cluster.sql("SELECT count(*) FROM sessions")[0][0] > rows
        headers = {"Authorization": f"Bearer {cluster.token(ALICE)}", **XHR}
        assert client.get("/whoami", headers=headers).json() == {"error": "auth_conflict"}


def test_tokens_leave_no_session_rows(cluster: Club) -> None:
    rows = cluster.sql("SELECT count(*) FROM sessions")
    headers = {"Authorization": f"Bearer {cluster.token(ALICE)}", **XHR}
    for _ in range(5):
        answer = httpx.get(f"{cluster.app.base_url}/whoami", headers=headers, timeout=30)
        assert answer.json()["user"] == ALICE
    assert cluster.sql("SELECT count(*) FROM sessions") == rows


def test_a_login_at_auther_renews_the_session_id(cluster: Club) -> None:
    set_stage_everywhere(cluster, Stage.DUAL)
    cluster.issuer.signed_in_sub = sub_of(ALICE)
    with cluster.browser() as client:
        client.get("/cart", params={"item": "teapot"})
        before = client.cookies["_club_session"]
        to_auther = client.get("/auth/auther/start")
        back = httpx.get(to_auther.headers["location"])
        client.get(back.headers["location"])
        assert client.cookies["_club_session"] != before
        assert TOKEN_COOKIE in client.cookies
        assert client.get("/whoami", headers=XHR).json() == {"user": ALICE, "cart": "teapot"}


def test_a_restart_keeps_counts_and_stage(cluster: Club) -> None:
    set_stage_everywhere(cluster, Stage.DRAIN)
    httpx.get(f"{cluster.app.base_url}/whoami", timeout=30)
    before = settled(cluster)
    document = cluster.app.stage.path
    kept = document.read_text()
    document.unlink()
    cluster.app.stop()
    cluster.app.start()
    info = cluster.shim_info()
    assert (info["stage"], info["source"]) == ("drain", "cached")
    after = cluster.counters()
    assert all(after[series] >= count for series, count in before.items())
    cluster.app.stop()
    (cluster.app.folder / "tmp" / "stage-cache.json").unlink()
    cluster.app.start()
    info = cluster.shim_info()
    assert (info["stage"], info["source"], info["epoch"]) == ("dual", "baked", "0")
    document.write_text(kept)
    cluster.wait_for_epoch(cluster.app.stage.document.epoch)


def test_a_fork_waits_for_the_end_of_a_round(running_club: Club) -> None:
    """A worker made in the middle of it inherits locks that nobody frees."""
    configure = (running_club.app.folder / "config/initializers/auther_cutover.rb").read_text()
    done = subprocess.run(
        [
            "bundle",
            "exec",
            "ruby",
            "-Ilib",
            FORK_DRIVER,
            configure.split("AutherCutover.install")[0],
        ],
        cwd=running_club.app.folder,
        env=running_club.app.environment | {"RAILS_ENV": "development"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "round ended\nworker started\n", done.stderr
