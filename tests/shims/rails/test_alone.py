"""The same target without a legacy side: what remains after the last phase, and what a new application takes."""

import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.shims.interface import ShimSettings
from migrator.shims.rails import RailsTarget
from tests.parts import require
from tests.parts.rails import RailsApp, prepare, run_generated_test, settings_for
from tests.shims.rails.club import ALICE, NAVIGATION, TOKEN_COOKIE, XHR, Club
from tests.shims.rails.conftest import LINK_EVERYBODY
from tests.shims.rails.test_login import at_auther, start

INSTANCE = "alone-1"
CONTROLLER = """# frozen_string_literal: true

class ApplicationController < ActionController::Base
  protect_from_forgery with: :exception

  def current_user
    auther_user
  end

  def authenticate_user!
    authenticate_auther!
  end
end
"""


def alone(issuer: Issuer, dsn: str, *, users: bool = True) -> RailsApp:
    """Give the application with its pages on Auther alone, not started."""
    plain = settings_for(issuer)

    def settings(port: int, key: str) -> ShimSettings:
        changed = {} if users else {"users_table": ""}
        return replace(plain(port, key), legacy=False, **changed)

    made = prepare(dsn, settings, extra={"MIGRATOR_INSTANCE": INSTANCE})
    (made.folder / "app/controllers/application_controller.rb").write_text(CONTROLLER)
    return made


@pytest.fixture(scope="module")
def club(club_dsn: str) -> Iterator[Club]:
    require("rails")
    with Issuer() as issuer:
        app = alone(issuer, club_dsn)
        made = Club(app, issuer, club_dsn)
        made.sql(f"{LINK_EVERYBODY} ON CONFLICT DO NOTHING")
        made.reset_people()
        app.start()
        yield made
        app.remove()
        made.sql("DELETE FROM migrator_instance WHERE instance = %s", INSTANCE)


def test_nothing_of_a_legacy_side_is_in_it() -> None:
    files = RailsTarget().files(replace(ShimSettings.placeholders(), legacy=False))
    for path, text in files.items():
        code = text if path.endswith((".rb", ".erb")) else ""
        assert not {"Devise", "Warden", "legacy", "MIGRATOR_STAGE"} & set(
            # The name of a column, in which it says that it is not.
            code.replace("legacy_capable", "").replace(".", " ").replace("_", " ").split()
        ), path


def test_a_token_is_its_user_by_header_and_by_cookie(club: Club) -> None:
    bearer = {"Authorization": f"Bearer {club.token(ALICE)}", **XHR}
    assert club.browser().get("/whoami", headers=bearer).json()["user"] == ALICE
    with club.browser() as client:
        client.cookies.set(TOKEN_COOKIE, club.token(ALICE), domain="127.0.0.1")
        assert client.get("/whoami", headers=XHR).json()["user"] == ALICE


@pytest.mark.parametrize(
    ("token", "status", "error"),
    [
        ("expired", 401, "invalid_token"),
        ("stranger", 409, "identity_unlinked"),
        ("foreign", 401, "foreign_bearer"),
    ],
)
def test_what_is_not_good_is_refused(club: Club, token: str, status: int, error: str) -> None:
    made = {
        "expired": club.token(ALICE, exp=1),
        "stranger": club.issuer.make_token("nobody-known"),
        "foreign": "0123456789abcdef",
    }[token]
    answer = club.browser().get("/whoami", headers={"Authorization": f"Bearer {made}", **XHR})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_it_reports_itself_as_a_build_that_knows_no_legacy_side(club: Club) -> None:
    httpx.get(f"{club.app.base_url}/up")
    row = "SELECT build, stage, legacy_capable FROM migrator_instance WHERE instance = %s"
    until = time.monotonic() + 30
    while not (found := club.sql(row, INSTANCE)) and time.monotonic() < until:
        time.sleep(0.1)
    assert found == [(club.shim_info()["build"], "auther", False)]


def test_a_page_leads_to_auther_and_back_and_out_again(club: Club) -> None:
    with club.browser() as client:
        answer = client.get("/members", headers=NAVIGATION)
        assert answer.headers["location"].endswith("/auth/auther/start?return_to=%2Fmembers")
        answer = client.get(at_auther(club, start(client, "/members"), ALICE), headers=NAVIGATION)
        assert answer.headers["location"].endswith("/members")
        page = client.get("/", headers=NAVIGATION).text
        token = page.split('name="csrf-token" content="')[1].split('"')[0]
        assert client.post("/auth/auther/logout").status_code == 422
        client.post("/auth/auther/logout", data={"authenticity_token": token})
        assert client.get("/whoami", headers=XHR).json()["user"] is None


def test_an_ended_token_is_renewed(club: Club) -> None:
    with club.browser() as client:
        client.cookies.set(TOKEN_COOKIE, club.token(ALICE, exp=1), domain="127.0.0.1")
        location = client.get("/members", headers=NAVIGATION).headers["location"]
        assert location == "/auth/auther/start?renew=1&return_to=%2Fmembers"


def test_the_counters_have_the_same_names(club: Club) -> None:
    assert httpx.get(f"{club.app.base_url}/migrator/metrics").status_code == 404
    club.browser().get("/whoami", headers=XHR)
    assert club.shim_info()["stage"] == "auther"
    assert ("auth_requests_total", "outcome=anonymous", "path=none", "synthetic=0") in (
        club.counters()
    )


@pytest.mark.parametrize("users", [True, False], ids=["with users", "without users"])
def test_the_generated_test_passes(club_dsn: str, users: bool) -> None:
    require("rails")
    with Issuer() as issuer:
        app = alone(issuer, club_dsn, users=users)
        try:
            run_generated_test(app)
        finally:
            app.remove()
