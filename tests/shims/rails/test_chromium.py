"""One person's whole way in a real browser: login, flip, exchange, renewal, logout, rollback."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
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
    with window(tmp_path / "profile") as page:
        person = Person(town, page)
        person.opens_the_form()
        person.signs_in()
        assert TOKEN_COOKIE not in page.cookies()

        town.club.set_stage(Stage.DRAIN)
        person.is_a_member()
        first = page.cookies()[TOKEN_COOKIE]
        assert (first["httpOnly"], first["sameSite"]) == (True, "Lax")
        assert (town.home(ALICE), town.sessions(ALICE)) == ("auther", 1)

        time.sleep(LEFT_S)
        person.is_a_member()
        assert page.cookies()[TOKEN_COOKIE]["value"] != first["value"]
        assert "result=ok" in town.grown("auth_renewals_total", {})

        page.press("Sign out")
        assert "Open to everybody" in page.text
        assert (town.sessions(ALICE), TOKEN_COOKIE in page.cookies()) == (0, False)
        person.opens_the_form()
        page.press("Sign in with Auther")
        assert page.url.startswith(f"{town.auther.base_url}/sign-in")
        person.signs_in()

        town.club.set_stage(Stage.LEGACY)
        person.is_a_member()
        page.press("Sign out")
        person.opens_the_form()
        person.signs_in()
        assert TOKEN_COOKIE not in page.cookies()


@dataclass(frozen=True)
class Person:
    """Alice at her browser."""

    town: Town
    page: Page

    def opens_the_form(self) -> None:
        """Go to the application's login page."""
        self.page.open(f"{self.town.club.app.base_url}/users/sign_in")

    def signs_in(self) -> None:
        """Fill in the form on this page, whosever it is, and be a member after that."""
        someone = self.town.club.people[ALICE]
        self.page.fill_in(email=someone["email"], password=someone["plaintext_password"])
        self.page.press("Sign in")
        self.is_a_member()

    def is_a_member(self) -> None:
        """Go to the members' page, and end there as the same person."""
        members = f"{self.town.club.app.base_url}/members"
        self.page.open(members)
        assert (self.page.url, f"member {ALICE}" in self.page.text) == (members, True)
