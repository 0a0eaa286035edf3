"""What belongs to Hono alone, or what the conformance suite cannot see from outside."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts.express import HONO, ExpressApp, prepare
from tests.parts.stage_file import shim_settings
from tests.shims.asgi.club import ALICE, BOB, NAVIGATION, TOKEN_COOKIE, sub_of
from tests.shims.counting import (
    check_that_failed_answers_are_counted,
    check_that_the_log_says_what_was_counted,
)
from tests.shims.express.club import Club
from tests.shims.reporting import ALONE, check_that_it_reports_no_legacy_side

pytestmark = pytest.mark.xdist_group("hono")
WEEK_S = 7 * 86_400


def test_a_login_keeps_the_own_cart_and_drops_somebody_elses(hono_club: Club) -> None:
    hono_club.set_stage(Stage.DUAL)
    for before, cart in ((ALICE, "teapot"), (BOB, None)):
        with hono_club.browser() as client:
            hono_club.sign_in(client, before)
            client.get("/cart", params={"item": "teapot"})
            hono_club.sign_in_at_auther(client, ALICE)
            said = client.get("/whoami").json()
            assert (said["user"], said["credential"], said["cart"]) == (str(ALICE), "cookie", cart)
        # The login has moved alice, and the form would send her to Auther.
        hono_club.move(ALICE, "legacy")


def test_the_token_cookie_outlives_the_token_so_that_it_can_be_renewed(hono_club: Club) -> None:
    hono_club.set_stage(Stage.DUAL)
    with hono_club.browser() as client:
        cookies = hono_club.sign_in_at_auther(client, ALICE).headers.get_list("set-cookie")
    token = next(line for line in cookies if line.startswith(f"{TOKEN_COOKIE}="))
    found = re.search(r"Max-Age=(\d+)", token)
    assert found
    assert int(found[1]) > WEEK_S


def test_a_group_goes_to_auther_before_its_bucket_does(hono_club: Club) -> None:
    hono_club.set_stage(Stage.DUAL)
    stage = hono_club.app.stage
    epoch = stage.document.epoch + 1
    stage.publish(replace(stage.document, epoch=epoch, cohorts=("staff",)))
    hono_club.wait_for(lambda: hono_club.labels("migrator_shim_info")["epoch"] == str(epoch))
    with hono_club.browser() as client:
        pages = [
            client.get("/login", params={"cohort": name}).text for name in ("staff", "guests")
        ]
    assert ["Sign in at Auther" in page for page in pages] == [True, False]
    stage.document = replace(stage.document, cohorts=())


def test_a_foreign_bearer_on_its_path_finds_no_session(hono_club: Club) -> None:
    hono_club.set_stage(Stage.DUAL)
    with hono_club.browser() as client:
        hono_club.sign_in(client, BOB)
        client.get("/cart", params={"item": "teapot"})
        foreign = {"Authorization": "Bearer personal-token"}
        said = client.get("/api/v1/whoami", headers=foreign).json()
        assert (said["user"], said["cart"]) == (None, None)
        assert client.get("/api/v1/whoami").json()["cart"] == "teapot"


def test_permissions_come_from_the_token(hono_club: Club) -> None:
    hono_club.set_stage(Stage.DUAL)
    granted = {"permissions": {"document:7": ["edit"]}}
    asked = {"permission": "edit", "type": "document"}
    with hono_club.browser() as client:
        bearer = {"Authorization": f"Bearer {hono_club.token(ALICE, **granted)}"}
        for number, answer in (("7", "allowed"), ("8", "denied")):
            said = client.get("/permission", params=asked | {"id": number}, headers=bearer)
            assert said.json() == {"answer": answer}
        assert client.get("/permission", params=asked | {"id": "7"}).json() == {
            "answer": "unknown"
        }


@dataclass(kw_only=True)
class PlainApp(ExpressApp):
    """The application that only knows Auther."""

    def command(self) -> list[str]:
        """Give Node.js with it."""
        return ["node", "plain.js"]


@pytest.fixture(scope="module", params=["public.users", ""], ids=["users", "no-users"])
def plain(request: pytest.FixtureRequest, hono_club: Club) -> Iterator[Club]:
    """It, on the same users as the other one."""
    with Issuer() as issuer:
        settings = shim_settings(issuer, stage_public_key="", redirect_uri="")
        bare = replace(settings, legacy=False, users_table=request.param)
        app = PlainApp(
            **vars(prepare(hono_club.dsn, issuer, stack=HONO, settings=bare, extra=ALONE))
        )
        app.start()
        yield Club(app, issuer, hono_club.dsn)
        app.remove()


def test_without_a_legacy_side(plain: Club) -> None:
    has_users = "migrator_identity" in (plain.app.folder / "auther-cutover/people.js").read_text()
    own = str(ALICE) if has_users else sub_of(ALICE)
    with plain.browser() as client:
        assert client.get("/whoami").json() == {"user": None}
        bearer = {"Authorization": f"Bearer {plain.token(ALICE)}"}
        assert client.get("/whoami", headers=bearer).json()["user"] == own
        refused = {"Authorization": f"Bearer {plain.token(ALICE, exp=1)}"}
        answer = client.get("/whoami", headers=refused | NAVIGATION)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})
        plain.sign_in_at_auther(client, ALICE)
        assert client.get("/whoami").json()["user"] == own
        for origin, status in (("https://evil.example", 403), (plain.app.base_url, 303)):
            out = client.post("/auth/auther/logout", headers={"Origin": origin})
            assert out.status_code == status
        assert client.get("/whoami").json() == {"user": None}
    with plain.browser(token=plain.token(ALICE, exp=1)) as client:
        location = client.get("/whoami", headers=NAVIGATION).headers["location"]
        assert location.startswith("/auth/auther/start?")
        assert location.endswith("&renew=1")
    if has_users:
        check_that_it_reports_no_legacy_side(plain)
    assert plain.labels("migrator_shim_info")["stage"] == "auther"


def test_answers_of_the_application_that_fail_are_counted(hono_club: Club) -> None:
    check_that_failed_answers_are_counted(hono_club.app, fails=["/broken"])


def test_the_log_says_what_was_counted(hono_club: Club) -> None:
    check_that_the_log_says_what_was_counted(hono_club.app)
