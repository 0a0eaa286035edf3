"""Restarts of a real application that end in order lose no count, and a kill is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts.asgi import prepare
from tests.parts.stage_file import create_side_tables
from tests.shims.asgi.club import BOB, Club
from tests.shims.deploying import check_deployments

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def alone(devise_db: str) -> Iterator[Club]:
    create_side_tables(devise_db)
    with Issuer() as issuer:
        app = prepare(devise_db, issuer)
        app.stage.set(Stage.DUAL)
        club = Club(app, issuer, devise_db)
        club.link_everybody()
        app.start()
        yield club
        app.remove()


def test_a_gate_stays_passed_through_deployments_and_holds_after_a_kill(
    alone: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    def legacy_request() -> None:
        assert alone.browser(signed_in=BOB).get("/me").json()["credential"] == "session"

    check_deployments(alone.app, alone.dsn, monkeypatch, legacy_request=legacy_request)


def test_a_legacy_session_waits_for_the_row_where_there_is_a_place_for_it(alone: Club) -> None:
    session = alone.browser(signed_in=BOB)
    alone.app.stop()
    with psycopg.connect(alone.dsn) as blocker:
        blocker.execute("LOCK migrator_process IN EXCLUSIVE MODE")
        alone.app.start()
        refused = session.get("/me")
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
        assert alone.get("/me").json() == {"user": None}
        blocker.rollback()
    alone.wait_for(lambda: session.get("/me").status_code == 200)
    written = "SELECT count(*) FROM migrator_process WHERE instance = 'web-1' AND ended_at IS NULL"
    assert alone.sql(written) == [(1,)]

    # Without the table everything goes on as before.
    alone.app.stop()
    alone.sql("DROP TABLE migrator_process")
    alone.app.start()
    assert session.get("/me").status_code == 200
    alone.app.stop()
    assert "could not be written down" not in alone.app.log
