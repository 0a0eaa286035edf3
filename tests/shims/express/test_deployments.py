"""Restarts of a real application that end in order lose no count, and a kill is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.parts import require
from tests.parts.express import prepare
from tests.shims.asgi.club import BOB
from tests.shims.deploying import check_deployments, check_waiting_for_the_row, running_alone
from tests.shims.express.club import Club

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.xdist_group("express")


@pytest.fixture
def alone(devise_db: str) -> Iterator[Club]:
    require("express")
    with running_alone(devise_db, prepare, Club) as club:
        yield club


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
        check_waiting_for_the_row(
            alone, session, nobody, path="/whoami", complaint="process_end_not_written"
        )
