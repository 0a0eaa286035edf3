"""What belongs to Rack alone, or what the conformance suite cannot see from outside."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts.rack import prepare
from tests.parts.stage_file import shim_settings
from tests.shims.asgi.club import ALICE, BOB, NAVIGATION, TOKEN_COOKIE, sub_of
from tests.shims.counting import check_that_the_log_says_what_was_counted
from tests.shims.express.club import Club
from tests.shims.reporting import ALONE, check_that_it_reports_no_legacy_side

pytestmark = pytest.mark.xdist_group("rack")
WEEK_S = 7 * 86_400


def test_a_login_keeps_the_own_cart_and_drops_somebody_elses(rack_club: Club) -> None:
    rack_club.set_stage(Stage.DUAL)
    for before, cart in ((ALICE, "teapot"), (BOB, None)):
        with rack_club.browser() as client:
            rack_club.sign_in(client, before)
            client.get("/cart", params={"item": "teapot"})
            rack_club.sign_in_at_auther(client, ALICE)
            said = client.get("/whoami").json()
            assert (said["user"], said["credential"], said["cart"]) == (str(ALICE), "cookie", cart)
        # The login has moved alice, and the form would send her to Auther.
        rack_club.move(ALICE, "legacy")


def test_the_token_cookie_outlives_the_token_so_that_it_can_be_renewed(rack_club: Club) -> None:
    rack_club.set_stage(Stage.DUAL)
    with rack_club.browser() as client:
        rack_club.sign_in_at_auther(client, ALICE)
        token = next(cookie for cookie in client.cookies.jar if cookie.name == TOKEN_COOKIE)
    assert token.expires is not None
    assert token.expires - time.time() > WEEK_S
    rack_club.move(ALICE, "legacy")


def test_a_page_without_sessions_gets_no_cookie(rack_club: Club) -> None:
    rack_club.set_stage(Stage.DUAL)
    bearer = {"Authorization": f"Bearer {rack_club.token(ALICE)}"}
    with rack_club.browser() as client:
        for headers in ({}, bearer, {"Cookie": "other=1"}):
            assert "set-cookie" not in client.get("/whoami", headers=headers).headers


@pytest.mark.parametrize(
    ("stage", "headers", "status"),
    [
        (Stage.DUAL, {}, 200),
        (Stage.DRAIN, NAVIGATION, 303),
        (Stage.DRAIN, {}, 403),
    ],
    ids=["open in dual", "a page in drain", "JSON in drain"],
)
def test_a_door_that_nobody_thought_of_is_counted_and_closed(
    rack_club: Club, stage: Stage, headers: dict[str, str], status: int
) -> None:
    rack_club.set_stage(stage)
    name = "auth_logins_total" if status == 200 else "auth_logins_refused_total"
    counted = rack_club.count(name, door="pair")
    with rack_club.browser() as client:
        client.get("/cart", params={"item": "teapot"})
        answer = client.post(f"/pair/{BOB}", headers=headers)
        assert answer.status_code == status
        said = client.get("/whoami").json()
        assert said == {
            "user": str(BOB) if status == 200 else None,
            "credential": None,
            "cart": "teapot",
        }
    assert rack_club.count(name, door="pair") == counted + 1


def test_who_is_there_and_signs_in_once_more_in_drain_goes_to_auther(rack_club: Club) -> None:
    rack_club.set_stage(Stage.DUAL)
    with rack_club.browser() as client:
        rack_club.sign_in(client, BOB)
        rack_club.set_stage(Stage.DRAIN)
        page = client.get("/cart").json()
        form = {"csrf": page["csrf"], "remember_me": "1", "email": rack_club.people[BOB]["email"]}
        form["password"] = rack_club.people[BOB]["plaintext_password"]
        answer = client.post("/login", data=form, headers=NAVIGATION)
        assert answer.headers["location"].startswith("/auth/auther/start?")
        assert "remember_me" not in client.cookies


def test_a_sign_in_ends_authers_cookie(rack_club: Club) -> None:
    rack_club.set_stage(Stage.DUAL)
    with rack_club.browser() as client:
        rack_club.sign_in_at_auther(client, ALICE)
        rack_club.sign_in(client, BOB)
        assert client.get("/whoami").json()["user"] == str(BOB)
        assert TOKEN_COOKIE not in client.cookies
    rack_club.move(ALICE, "legacy")


def test_a_group_goes_to_auther_before_its_bucket_does(rack_club: Club) -> None:
    rack_club.set_stage(Stage.DUAL)
    stage = rack_club.app.stage
    epoch = stage.document.epoch + 1
    stage.publish(replace(stage.document, epoch=epoch, cohorts=("staff",)))
    rack_club.wait_for(lambda: rack_club.labels("migrator_shim_info")["epoch"] == str(epoch))
    with rack_club.browser() as client:
        pages = [
            client.get("/login", params={"cohort": name}).text for name in ("staff", "guests")
        ]
    assert ["Sign in at Auther" in page for page in pages] == [True, False]
    stage.document = replace(stage.document, cohorts=())


def test_a_foreign_bearer_on_its_path_finds_no_session_and_leaves_it_alone(
    rack_club: Club,
) -> None:
    rack_club.set_stage(Stage.DUAL)
    with rack_club.browser() as client:
        rack_club.sign_in(client, BOB)
        client.get("/cart", params={"item": "teapot"})
        foreign = {"Authorization": "Bearer personal-token"}
        said = client.get("/api/whoami", headers=foreign).json()
        assert (said["user"], said["cart"]) == (None, None)
        said = client.get("/api/whoami").json()
        assert (said["user"], said["cart"]) == (str(BOB), "teapot")


def test_a_reset_link_of_who_has_moved_is_not_used_up_while_auther_cannot_be_asked(
    rack_club: Club,
) -> None:
    rack_club.set_stage(Stage.DUAL)
    with rack_club.browser() as client:
        assert client.post(f"/reset/{BOB}").json() == {"consumed": True, "url": None}
        rack_club.move(BOB, "auther")
        answer = client.post(f"/reset/{BOB}")
        assert (answer.status_code, answer.json()) == (503, {"error": "verification_unavailable"})
    rack_club.move(BOB, "legacy")


def test_permissions_come_from_the_token(rack_club: Club) -> None:
    rack_club.set_stage(Stage.DUAL)
    granted = {"permissions": {"document:7": ["edit"]}}
    with rack_club.browser() as client:
        bearer = {"Authorization": f"Bearer {rack_club.token(ALICE, **granted)}"}
        answers = [
            client.get(f"/permission/edit/document/{number}", headers=headers).json()["allowed"]
            for number, headers in (("7", bearer), ("8", bearer), ("7", {}))
        ]
    assert answers == [True, False, False]


@pytest.fixture(scope="module", params=["public.users", ""], ids=["users", "no-users"])
def plain(request: pytest.FixtureRequest, rack_club: Club) -> Iterator[Club]:
    """The application that only knows Auther, on the same users as the other one."""
    with Issuer() as issuer:
        settings = shim_settings(issuer, stage_public_key="", redirect_uri="")
        bare = replace(settings, legacy=False, users_table=request.param)
        app = prepare(rack_club.dsn, issuer, settings=bare, rackup="plain.ru", extra=ALONE)
        app.start()
        yield Club(app, issuer, rack_club.dsn)
        app.remove()


def test_without_a_legacy_side(plain: Club) -> None:
    has_users = (plain.app.folder / "lib/auther_cutover/identity.rb").exists()
    own = str(ALICE) if has_users else sub_of(ALICE)
    with plain.browser() as client:
        assert client.get("/whoami").json()["user"] is None
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
        assert client.get("/whoami").json()["user"] is None
    with plain.browser(token=plain.token(ALICE, exp=1)) as client:
        location = client.get("/whoami", headers=NAVIGATION).headers["location"]
        assert location == "/auth/auther/start?renew=1&return_to=%2Fwhoami"
    if has_users:
        check_that_it_reports_no_legacy_side(plain)


def test_the_log_says_what_was_counted(rack_club: Club) -> None:
    check_that_the_log_says_what_was_counted(rack_club.app)


@pytest.mark.long
def test_forked_workers_answer_with_the_sum(rack_club: Club) -> None:
    two = {"WEB_CONCURRENCY": "2", "MIGRATOR_INSTANCE": "cluster"}
    app = prepare(rack_club.dsn, rack_club.issuer, extra=two)
    cluster = Club(app, rack_club.issuer, rack_club.dsn)
    try:
        app.start()
        bearer = {"Authorization": f"Bearer {cluster.token(ALICE)}", "Connection": "close"}
        for _ in range(20):
            answer = httpx.get(f"{app.base_url}/whoami", headers=bearer)
            assert answer.json()["user"] == str(ALICE)
        pids = set(re.findall(r"Worker \d+ \(PID: (\d+)\) booted", app.log))
        assert len(pids) == 2
        cluster.wait_for(lambda: cluster.count("auth_requests_total", path="auther") == 20)
        seen = "SELECT source FROM migrator_instance WHERE instance = 'cluster'"
        cluster.wait_for(lambda: cluster.sql(seen) != [])
    finally:
        app.remove()
