"""`migrator auther` as a user runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.auther.live.doctor.site import APP, CAPABILITIES, CONFIG, PASSWORD, Site, open_site
from tests.cli.command import Ran, migrator, migrator_process
from tests.parts import require
from tests.parts.better_auth import start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENV = {"SHOP_KEY": "k" * 40}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An Auther that has all that a cutover needs."""
    require("node")
    root = tmp_path_factory.mktemp("site")
    env = CAPABILITIES | {"MIGRATOR_MARK": "00" * 32}
    with start(root / "auther.db", clients=[APP], env=env) as running:
        yield open_site(root, running)


def run(folder: Path, *arguments: str) -> Ran:
    return migrator(folder, "auther", *arguments, env=ENV)


def test_a_doctor_who_finds_nothing_wrong_ends_with_0(site: Site) -> None:
    ran = run(site.ctx.root, "doctor")

    assert ran.code == 0, ran.out + ran.err
    assert ran.out.splitlines()[-1] == (
        "READY: nothing at Auther stands in the way of the cutover"
    )
    assert PASSWORD not in ran.out + ran.err
    assert site.canary.email not in ran.out + ran.err


def test_programs_get_the_same(site: Site) -> None:
    found = migrator_process(site.ctx.root, "auther", "doctor", "--json", env=ENV).json

    assert (found["ready"], found["missing"], found["unknown"]) == (True, [], [])
    assert found["findings"]["iat_unit"] == {
        "state": "found",
        "found": "milliseconds",
        "means": "the shims divide; other libraries refuse it: legacyPasswords({ iatInSeconds: true })",
        "provider": "the application",
        "blocks": False,
    }


def test_a_client_is_shown_before_it_is_made(site: Site) -> None:
    site.users.run("DELETE FROM oauth_application")
    planned = run(site.ctx.root, "client", "ensure", "--dry-run")

    assert planned.code == 0
    assert "client shop: would be created" in planned.out
    assert "  + redirect_ur_ls: http://localhost:4000/auth/callback" in planned.out
    assert site.users.rows("SELECT id FROM oauth_application") == []
    made = run(site.ctx.root, "client", "ensure")
    assert (made.code, "client shop: is created" in made.out) == (0, True), made.err
    again = run(site.ctx.root, "client", "ensure")
    assert (again.code, "client shop: is right" in again.out) == (0, True)


def test_a_capacity_is_a_table_and_a_figure(site: Site) -> None:
    ran = run(site.ctx.root, "capacity", "--seconds", "1.5")

    assert ran.code == 0, ran.err
    assert "sign-ins/s at " in ran.out
    assert "steps of the cutover may use " in ran.out


def test_consents_are_counted(site: Site) -> None:
    # The canary is nobody whom this migration brought.
    assert run(site.ctx.root, "client", "consents").out == "0 consents written\n"


def test_an_auther_that_is_away_is_not_known_and_no_crash(tmp_path: Path) -> None:
    text = CONFIG.format(base_url="http://127.0.0.1:1", auther="")
    (tmp_path / "migrator.toml").write_text(text)
    for name in ("canary.email", "canary.password"):
        (tmp_path / name).write_text("someone@example.com")
        (tmp_path / name).chmod(0o600)
    ran = run(tmp_path, "doctor")

    assert ran.code == 3
    assert ran.out.splitlines()[-1].startswith("NOT KNOWN: discovery, issuer, algorithm")


def test_without_an_address_it_says_which_setting(tmp_path: Path) -> None:
    (tmp_path / "migrator.toml").write_text(CONFIG.format(base_url="", auther=""))
    ran = run(tmp_path, "doctor")

    assert (ran.code, "[auther] base_url is not set" in ran.err) == (2, True)
