"""Restarts of a real application that end in order lose no count, and a kill is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts import require
from tests.parts.express import prepare
from tests.parts.stage_file import create_side_tables
from tests.shims.asgi.club import BOB, oracle
from tests.shims.deploying import check_deployments
from tests.shims.express.club import Club

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.xdist_group("express")


@pytest.fixture
def alone(devise_db: str) -> Iterator[Club]:
    require("express")
    create_side_tables(devise_db)
    with Issuer() as issuer:
        app = prepare(devise_db, issuer, pepper=oracle()[BOB]["pepper"])
        app.stage.set(Stage.DUAL)
        club = Club(app, issuer, devise_db)
        club.link_everybody()
        app.start()
        yield club
        app.remove()


def check_is_bob(client: httpx.Client) -> None:
    assert client.get("/whoami").json()["credential"] == "session"


def test_a_gate_stays_passed_through_deployments_and_holds_after_a_kill(
    alone: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    with alone.browser() as client:
        assert alone.sign_in(client, BOB).status_code == 303
        check_deployments(
            alone.app, alone.dsn, monkeypatch, legacy_request=lambda: check_is_bob(client)
        )


def test_a_legacy_session_waits_for_the_row_where_there_is_a_place_for_it(alone: Club) -> None:
    with alone.browser() as session, alone.browser() as nobody:
        assert alone.sign_in(session, BOB).status_code == 303
        alone.app.stop()
        with psycopg.connect(alone.dsn) as blocker:
            blocker.execute("LOCK migrator_process IN EXCLUSIVE MODE")
            alone.app.start()
            refused = session.get("/whoami")
            assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
            assert nobody.get("/whoami").json()["user"] is None
            blocker.rollback()
        alone.wait_for(lambda: session.get("/whoami").status_code == 200)
        written = "SELECT count(*) FROM migrator_process WHERE ended_at IS NULL"
        assert alone.sql(written) == [(1,)]

        # Without the table everything goes on as before.
        alone.app.stop()
        alone.sql("DROP TABLE migrator_process")
        alone.app.start()
        check_is_bob(session)
        alone.app.stop()
        assert "process_end_not_written" not in alone.app.log
