"""What belongs to Rack alone, or what the conformance suite cannot see from outside."""

import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts.rack import prepare
from tests.parts.stage_file import shim_settings
from tests.shims.asgi.club import ALICE, BOB, NAVIGATION, TOKEN_COOKIE
from tests.shims.cutting_over import Alone, Cutover
from tests.shims.express.club import Club
from tests.shims.reporting import ALONE

pytestmark = pytest.mark.xdist_group("rack")


@pytest.fixture
def club(rack_club: Club) -> Club:
    """The application, started once."""
    return rack_club


class TestSinatra(Cutover):
    api = "/api/"


class TestAlone(Alone):
    people = "lib/auther_cutover/identity.rb"


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
