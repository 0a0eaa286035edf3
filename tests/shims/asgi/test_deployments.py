"""Restarts of a real application that end in order lose no count, and a kill is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.parts.asgi import prepare
from tests.shims.asgi.club import BOB, Club
from tests.shims.deploying import check_deployments, check_waiting_for_the_row, running_alone

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def alone(devise_db: str) -> Iterator[Club]:
    with running_alone(devise_db, prepare, Club) as club:
        yield club


def test_a_gate_stays_passed_through_deployments_and_holds_after_a_kill(
    alone: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    def legacy_request() -> None:
        assert alone.browser(signed_in=BOB).get("/me").json()["credential"] == "session"

    check_deployments(alone.app, alone.dsn, monkeypatch, legacy_request=legacy_request)


def test_a_legacy_session_waits_for_the_row_where_there_is_a_place_for_it(alone: Club) -> None:
    with alone.browser(signed_in=BOB) as session, alone.browser() as nobody:
        check_waiting_for_the_row(
            alone, session, nobody, path="/me", complaint="could not be written down"
        )
