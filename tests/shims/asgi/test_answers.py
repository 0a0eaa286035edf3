"""What the outside does not see: log lines, heartbeat, last-seen, and the marker's edges."""

import json
import re
import time
from datetime import UTC, datetime, timedelta

from tests.parts.asgi import prepare
from tests.shims.asgi.club import (
    ALICE,
    BOB,
    CAROL,
    Club,
)
from tests.shims.counting import (
    check_that_failed_answers_are_counted,
    check_that_the_log_says_what_was_counted,
)


def test_conflicts_are_logged_with_shortened_hashes_only(club: Club) -> None:
    club.browser(signed_in=BOB, token=club.token(ALICE)).get("/me")
    lines = [json.loads(line) for line in club.app.log.splitlines() if '"conflict"' in line]

    assert lines[-1]["event"] == "auth"
    assert all(re.fullmatch(r"[0-9a-f]{12}", party) for party in lines[-1]["parties"])


# Metrics and the positive control


def test_the_shim_names_itself(club: Club) -> None:
    assert club.shim_info() == {
        "instance": "web-1",
        "build": "test-build",
        "baked": "dual",
        "stage": "dual",
        "epoch": str(club.app.stage.document.epoch),
        "source": "live",
    }


def test_each_decision_is_one_line_of_json(club: Club) -> None:
    club.get(bearer=club.token(ALICE, exp=1))
    line = json.loads([line for line in club.app.log.splitlines() if '"expired"' in line][-1])

    assert line.pop("waited_us") > 0
    assert line == {
        "event": "auth",
        "path": "auther",
        "outcome": "refused",
        "stage": "dual",
        "reason": "expired",
        "client": "app",
    }


# Heartbeat and last-seen


def test_the_instance_reports_itself(club: Club) -> None:
    epoch = club.app.stage.document.epoch
    query = (
        "SELECT build, baked, stage, source, legacy_capable, seen_at FROM migrator_instance "
        "WHERE instance = 'web-1' AND epoch = %s"
    )
    club.wait_for(lambda: club.sql(query, epoch))
    ((*facts, seen_at),) = club.sql(query, epoch)

    assert facts == ["test-build", "dual", "dual", "live", True]
    assert datetime.now(UTC) - seen_at < timedelta(seconds=15)


def test_a_legacy_user_is_seen_once_a_minute_and_an_auther_user_is_not(club: Club) -> None:
    query = "SELECT last_legacy_at FROM migrator_identity WHERE user_pk = %s"
    club.browser(signed_in=CAROL).get("/me")
    club.get(bearer=club.token(ALICE))
    club.wait_for(lambda: club.sql(query, str(CAROL)) != [(None,)])
    first = club.sql(query, str(CAROL))
    club.browser(signed_in=CAROL).get("/me")
    time.sleep(1.5)

    assert club.sql(query, str(CAROL)) == first


def test_without_its_side_tables_the_application_still_serves_sessions(club: Club) -> None:
    app = prepare(club.dsn, club.issuer, extra={"MIGRATOR_INSTANCE": "web-without"})
    without = Club(app, club.issuer, club.dsn, sessions=club.sessions)
    club.sql("ALTER TABLE migrator_identity RENAME TO hidden")
    try:
        app.start()
        assert without.browser(signed_in=BOB).get("/me").json()["user"] == str(BOB)
        assert without.get(bearer=club.token(ALICE)).status_code == 503
    finally:
        club.sql("ALTER TABLE hidden RENAME TO migrator_identity")
        app.remove()


def test_the_log_never_holds_a_token_or_a_connection_string(club: Club) -> None:
    token = club.token(ALICE)
    club.get(bearer=token)

    log = club.app.log
    assert token.split(".")[2] not in log
    assert club.dsn not in log
    assert "postgresql://" not in log


def test_answers_of_the_application_that_fail_are_counted(club: Club) -> None:
    check_that_failed_answers_are_counted(club.app, fails=["/broken", "/broken?quietly=1"])


def test_the_log_says_what_was_counted(club: Club) -> None:
    # Another test may have started the application anew, which then counts from its beginning.
    check_that_the_log_says_what_was_counted(club.app, since=club.app.log_begins)
