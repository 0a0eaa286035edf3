"""What the conformance suite cannot see from outside, for applications with the same pages.

class TestName(Cutover):                # fixture `club`: it runs, everybody is linked
    api = "/api/"                       # below it, bearers of others are allowed

class TestAlone(Alone):                 # fixture `plain`: it runs without a legacy side,
    people = "lib/identity.rb"          # where the shim keeps what it knows of users, if it has any
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from migrator.core.stage import Stage
from tests.shims.asgi.club import ALICE, BOB, NAVIGATION, TOKEN_COOKIE, sub_of
from tests.shims.counting import check_that_the_log_says_what_was_counted
from tests.shims.reporting import check_that_it_reports_no_legacy_side

if TYPE_CHECKING:
    from tests.shims.express.club import Club

WEEK_S = 7 * 86_400


class Cutover:
    """Beside a legacy side."""

    api: ClassVar[str]

    def test_a_login_keeps_the_own_cart_and_drops_somebody_elses(self, club: Club) -> None:
        club.set_stage(Stage.DUAL)
        for before, cart in ((ALICE, "teapot"), (BOB, None)):
            with club.browser() as client:
                club.sign_in(client, before)
                client.get("/cart", params={"item": "teapot"})
                club.sign_in_at_auther(client, ALICE)
                said = client.get("/whoami").json()
                found = (said["user"], said["credential"], said["cart"])
                assert found == (str(ALICE), "cookie", cart)
            # The login has moved alice, and the form would send her to Auther.
            club.move(ALICE, "legacy")

    def test_the_token_cookie_outlives_the_token_so_that_it_can_be_renewed(
        self, club: Club
    ) -> None:
        club.set_stage(Stage.DUAL)
        with club.browser() as client:
            club.sign_in_at_auther(client, ALICE)
            token = next(cookie for cookie in client.cookies.jar if cookie.name == TOKEN_COOKIE)
        assert token.expires is not None
        assert token.expires - time.time() > WEEK_S
        club.move(ALICE, "legacy")

    def test_a_group_goes_to_auther_before_its_bucket_does(self, club: Club) -> None:
        club.set_stage(Stage.DUAL)
        stage = club.app.stage
        epoch = stage.document.epoch + 1
        stage.publish(replace(stage.document, epoch=epoch, cohorts=("staff",)))
        club.wait_for(lambda: club.labels("migrator_shim_info")["epoch"] == str(epoch))
        with club.browser() as client:
            pages = [
                client.get("/login", params={"cohort": name}).text for name in ("staff", "guests")
            ]
        assert ["Sign in at Auther" in page for page in pages] == [True, False]
        stage.document = replace(stage.document, cohorts=())

    def test_a_foreign_bearer_on_its_path_finds_no_session_and_leaves_it_alone(
        self, club: Club
    ) -> None:
        club.set_stage(Stage.DUAL)
        with club.browser() as client:
            club.sign_in(client, BOB)
            client.get("/cart", params={"item": "teapot"})
            foreign = {"Authorization": "Bearer personal-token"}
            said = client.get(f"{self.api}whoami", headers=foreign).json()
            assert (said["user"], said["cart"]) == (None, None)
            said = client.get(f"{self.api}whoami").json()
            assert (said["user"], said["cart"]) == (str(BOB), "teapot")

    def test_the_log_says_what_was_counted(self, club: Club) -> None:
        check_that_the_log_says_what_was_counted(club.app)


class Alone:
    """Without a legacy side, with users of its own and without."""

    people: ClassVar[str]

    @pytest.fixture
    def has_users(self, plain: Club) -> bool:
        """Whether the application has users of its own, by the code that was generated for it."""
        path = plain.app.folder / self.people
        return path.exists() and "migrator_identity" in path.read_text()

    def test_a_token_and_a_login_are_its_user(self, plain: Club, has_users: bool) -> None:
        own = str(ALICE) if has_users else sub_of(ALICE)
        with plain.browser() as client:
            assert client.get("/whoami").json()["user"] is None
            bearer = {"Authorization": f"Bearer {plain.token(ALICE)}"}
            assert client.get("/whoami", headers=bearer).json()["user"] == own
            plain.sign_in_at_auther(client, ALICE)
            assert client.get("/whoami").json()["user"] == own
            for origin, status in (("https://evil.example", 403), (plain.app.base_url, 303)):
                out = client.post("/auth/auther/logout", headers={"Origin": origin})
                assert out.status_code == status
            assert client.get("/whoami").json()["user"] is None

    def test_what_is_not_good_is_refused(self, plain: Club, has_users: bool) -> None:
        unknown = plain.issuer.make_token("nobody-known")
        refused = {
            plain.token(ALICE, exp=1): (401, {"error": "invalid_token"}),
            plain.token(ALICE, iss="https://elsewhere.example"): (
                401,
                {"error": "foreign_bearer"},
            ),
        }
        if has_users:
            refused[unknown] = (409, {"error": "identity_unlinked"})
        with plain.browser() as client:
            for token, said in refused.items():
                bearer = {"Authorization": f"Bearer {token}"}
                answer = client.get("/whoami", headers=bearer | NAVIGATION)
                assert (answer.status_code, answer.json()) == said

    def test_an_ended_token_is_renewed_on_the_way_to_a_page(self, plain: Club) -> None:
        with plain.browser(token=plain.token(ALICE, exp=1)) as client:
            location = urlsplit(client.get("/whoami", headers=NAVIGATION).headers["location"])
        assert location.path == "/auth/auther/start"
        assert parse_qs(location.query) == {"renew": ["1"], "return_to": ["/whoami"]}

    def test_it_says_that_it_knows_auther_alone(self, plain: Club, has_users: bool) -> None:
        if has_users:
            check_that_it_reports_no_legacy_side(plain)
        assert plain.labels("migrator_shim_info")["stage"] == "auther"
