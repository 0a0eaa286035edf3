"""Restarts of a real application that end in order lose no count, and a kill is noticed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.parts import require
from tests.parts.express import HONO, prepare
from tests.shims.asgi.club import BOB
from tests.shims.deploying import check_deployments, running_alone
from tests.shims.express.club import Club

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.xdist_group("hono")


@pytest.fixture
def alone(devise_db: str) -> Iterator[Club]:
    require("hono")
    with running_alone(devise_db, partial(prepare, stack=HONO), Club) as club:
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
