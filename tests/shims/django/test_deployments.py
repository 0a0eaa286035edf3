"""Restarts of a real project that end in order lose no count, and a kill is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.parts.django import prepare
from tests.shims.asgi.club import BOB
from tests.shims.deploying import check_deployments, running_alone
from tests.shims.django.club import DjangoClub

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.xdist_group("django")


@pytest.fixture
def alone(devise_db: str) -> Iterator[DjangoClub]:
    with running_alone(devise_db, prepare, DjangoClub) as club:
        yield club


def test_a_gate_stays_passed_through_deployments_and_holds_after_a_kill(
    alone: DjangoClub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with alone.browser() as client:
        assert alone.sign_in_by_json(client, BOB).status_code == 200
        check_deployments(
            alone.app, alone.dsn, monkeypatch, legacy_request=lambda: check_is_bob(alone, client)
        )


def check_is_bob(club: DjangoClub, client: httpx.Client) -> None:
    assert club.who(client) == str(BOB)


def test_under_asgi_the_server_says_when_it_ends(alone: DjangoClub) -> None:
    alone.app.stop()
    alone.sql("DELETE FROM migrator_process")
    alone.app.asgi = True
    alone.app.start()
    with alone.browser() as client:
        assert alone.sign_in_by_json(client, BOB).status_code == 200
        check_is_bob(alone, client)
    alone.app.stop()
    whole = (
        "SELECT counts LIKE '%%path=\"legacy\"%%' FROM migrator_process WHERE ended_at IS NOT NULL"
    )
    assert alone.sql(whole) == [(True,)], alone.app.log
