"""One person's whole way in a real browser: login, flip, exchange, renewal, logout, rollback."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from migrator.core.stage import Stage
from tests.parts import require
from tests.parts.chromium import Page, window
from tests.shims.rails.club import ALICE, TOKEN_COOKIE
from tests.shims.rails.town import Town
from tests.shims.rails.town import town as running_town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.postgres import PostgresServer

# The shim takes a token for 30 s after its end: these have ended 22 s ago when they come.
TOKEN_S = -22
LEFT_S = 30 + TOKEN_S


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, devise_template: str
) -> Iterator[Town]:
    require("node")
    require("rails")
    require("chromium")
    short = {"PLUGIN_OPTIONS": json.dumps({"idTokenSeconds": TOKEN_S, "iatInSeconds": True})}
    folder = tmp_path_factory.mktemp("chromium")
    with running_town(postgres, devise_template, folder, auther_env=short) as made:
        made.club.set_stage(Stage.DUAL)
        yield made


def test_nobody_is_signed_out_on_the_way_there_and_back(town: Town, tmp_path: Path) -> None:
    home, auther = town.club.app.base_url, town.auther.base_url
    someone = town.club.people[ALICE]
    credentials = {"email": someone["email"], "password": someone["plaintext_password"]}
    with window(tmp_path / "profile") as page:
        page.open(f"{home}/users/sign_in")
        page.fill_in(**credentials)
        page.press("Sign in")
        assert member(page, home)
        assert TOKEN_COOKIE not in page.cookies()

        town.club.set_stage(Stage.DRAIN)
        assert member(page, home)
        first = page.cookies()[TOKEN_COOKIE]
        assert (first["httpOnly"], first["sameSite"]) == (True, "Lax")
        assert (town.home(ALICE), town.sessions(ALICE)) == ("auther", 1)

        time.sleep(LEFT_S)
        assert member(page, home)
        assert page.cookies()[TOKEN_COOKIE]["value"] != first["value"]
        assert "result=ok" in town.grown("auth_renewals_total", {})

        page.press("Sign out")
        assert "Open to everybody" in page.text
        assert TOKEN_COOKIE not in page.cookies()
        assert town.sessions(ALICE) == 0
        page.open(f"{home}/users/sign_in")
        page.press("Sign in with Auther")
        assert page.url.startswith(f"{auther}/sign-in")
        page.fill_in(**credentials)
        page.press("Sign in")
        assert member(page, home)

        town.club.set_stage(Stage.LEGACY)
        assert member(page, home)
        page.press("Sign out")
        page.open(f"{home}/users/sign_in")
        page.fill_in(**credentials)
        page.press("Sign in")
        assert member(page, home)
        assert TOKEN_COOKIE not in page.cookies()


def member(page: Page, home: str) -> bool:
    """Go to the members' page and see whose it is."""
    page.open(f"{home}/members")
    return page.url == f"{home}/members" and f"member {ALICE}" in page.text
