"""What the shim tells about itself: counters, positive control, log, heartbeat, last seen."""

import hmac
import json
import secrets
import time
from datetime import timedelta
from hashlib import sha256

import psycopg

from migrator.core.clock import SystemClock
from migrator.core.stage import Stage
from migrator.metrics.shim_counters import ShimCounters
from tests.parts.stage_file import CONTROL_SECRET, METRICS_TOKEN
from tests.shims.counting import (
    check_that_failed_answers_are_counted,
    check_that_the_log_says_what_was_counted,
)
from tests.shims.rails.club import ALICE, BOB, XHR, Club, sub_of

SYNTHETIC = ("auth_requests_total", "outcome=accepted", "path=legacy", "synthetic=1")
REAL = ("auth_requests_total", "outcome=accepted", "path=legacy", "synthetic=0")


def marker(
    *, age_s: int = 0, secret: str = CONTROL_SECRET, nonce: str | None = None
) -> dict[str, str]:
    text = f"v1.{int(time.time()) - age_s}.{nonce or secrets.token_hex(16)}"
    mac = hmac.new(secret.encode(), text.encode(), sha256).hexdigest()
    return {"X-Migrator-Control": f"{text}.{mac}"}


def test_the_control_is_counted_and_signs_nobody_in(club: Club) -> None:
    with club.browser(signed_in=BOB) as client:
        before = club.counters()
        answer = client.get("/members", headers=marker())
    assert (answer.status_code, answer.content) == (204, b"")
    after = club.counters()
    assert after[SYNTHETIC] == before.get(SYNTHETIC, 0) + 1
    assert after.get(REAL, 0) == before.get(REAL, 0)


def test_the_drains_own_reader_sees_it(club: Club) -> None:
    reader = ShimCounters(
        addresses=(club.app.base_url,),
        metrics_token=METRICS_TOKEN,
        control_secret=CONTROL_SECRET,
        timeout=timedelta(seconds=5),
        fresh_for=timedelta(seconds=30),
        clock=SystemClock(),
    )
    look = reader.look()
    assert look.doubts == ()
    (shim,) = look.shims
    assert (shim.doubts, shim.control_counted) == ((), True)
    assert shim.process is not None
    assert (shim.process.instance, shim.process.stage) == ("web-1", "dual")


def test_a_page_without_a_session_stays_one(club: Club) -> None:
    with club.browser(signed_in=BOB) as client:
        before = club.counters()[REAL]
        assert "set-cookie" not in client.get("/feed").headers
        assert club.counters()[REAL] == before


def test_the_code_is_not_in_the_log(club: Club) -> None:
    params = {"code": "a-code-that-nobody-may-read", "state": "x"}
    with club.browser() as client:
        assert client.get("/auth/auther/callback", params=params).status_code == 400
    assert "/auth/auther/callback" in club.app.log
    assert params["code"] not in club.app.log


def test_a_page_that_reads_the_session_counts_its_user(club: Club) -> None:
    with club.browser(signed_in=BOB) as client:
        before = club.counters()[REAL]
        assert client.get("/").status_code == 200
        assert club.counters()[REAL] == before + 1


def test_each_decision_is_one_line_of_json_without_ids(club: Club) -> None:
    token = club.token(ALICE)
    with club.browser(signed_in=BOB) as client:
        logged_before = len(club.app.log)
        client.get("/whoami", headers={"Authorization": f"Bearer {token}", **XHR})
    log = club.app.log[logged_before:]
    (event,) = [json.loads(line) for line in log.splitlines() if '"event":"auth"' in line]
    assert (event["path"], event["reason"]) == ("both", "conflict")
    assert event["legacy"] == sha256(str(BOB).encode()).hexdigest()[:12]
    assert sub_of(ALICE) not in log
    assert token[:20] not in log


def test_answers_of_the_application_that_fail_are_counted(club: Club) -> None:
    check_that_failed_answers_are_counted(club.app, fails=["/broken"])
    before = club.counters()
    with club.browser(signed_in=BOB) as client:
        assert client.get("/broken?missing=1").status_code == 404
        assert client.get("/broken").status_code == 500
    errors = ("auth_errors_total", "path=legacy")
    assert club.counters()[errors] == before[errors] + 1


def test_the_log_says_what_was_counted(club: Club) -> None:
    check_that_the_log_says_what_was_counted(club.app)


def eventually(club: Club, query: str, *values: object, within_s: float = 30) -> object:
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        rows = club.sql(query, *values)
        if rows and rows[0][0]:
            return rows[0][0]
        time.sleep(0.2)
    return None


def test_last_seen_is_written_and_throttled(club: Club) -> None:
    query, user_id = "SELECT last_legacy_at FROM migrator_identity WHERE user_pk = %s", 7
    with club.browser(signed_in=user_id) as client:
        client.get("/members")
        first = eventually(club, query, str(user_id))
        assert first is not None
        client.get("/members")
        time.sleep(2)
        assert club.sql(query, str(user_id)) == [(first,)]


def test_last_seen_is_not_moved_by_a_token(club: Club) -> None:
    with club.browser() as client:
        client.get("/whoami", headers={"Authorization": f"Bearer {club.token(9)}", **XHR})
    time.sleep(2)
    assert club.sql("SELECT last_legacy_at FROM migrator_identity WHERE user_pk = '9'") == [
        (None,)
    ]


def test_the_heartbeat_tells_the_stage(club: Club) -> None:
    epoch = club.app.stage.document.epoch
    fresh = "SELECT epoch >= %s AND seen_at > now() - interval '12 seconds' FROM migrator_instance WHERE instance = 'web-1'"
    assert eventually(club, fresh, epoch)
    row = club.sql(
        "SELECT build, baked, stage, source, legacy_capable FROM migrator_instance WHERE instance = 'web-1'"
    )
    assert row == [("test-build", "dual", "dual", "live", True)]


def test_a_new_stage_is_told_at_once(club: Club) -> None:
    told = "SELECT epoch = %s FROM migrator_instance WHERE instance = 'web-1'"
    for percent in (10.0, 20.0, 30.0):
        club.set_stage(Stage.DUAL, percent=percent)
        assert eventually(club, told, club.app.stage.document.epoch, within_s=8)


def test_a_locked_identity_table_delays_nobody(club: Club) -> None:
    with psycopg.connect(club.dsn) as blocker:
        blocker.execute("LOCK migrator_instance, migrator_identity IN EXCLUSIVE MODE")
        with club.browser(signed_in=BOB) as client:
            started_s = time.monotonic()
            assert client.get("/members").status_code == 200
            assert time.monotonic() - started_s < 1


def test_the_detector_sees_a_session_that_the_application_made_itself(club: Club) -> None:
    assert "\nauth_detector_sees_fixture 1\n" in club.metrics_text()
