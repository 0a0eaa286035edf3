"""What belongs to Django alone, or what the conformance suite cannot see from outside."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts.django import prepare
from tests.parts.stage_file import shim_settings
from tests.shims.asgi.club import ALICE, BOB, CAROL, NAVIGATION, sub_of
from tests.shims.counting import check_that_the_log_says_what_was_counted
from tests.shims.django.club import DjangoClub
from tests.shims.reporting import ALONE, check_that_it_reports_no_legacy_side
from tests.shims.withholding import check_that_a_rollback_withholds_passwords

pytestmark = pytest.mark.xdist_group("django")
AT_AUTHER = "a password that only Auther knows"
START = "/auth/auther/start?"


def by_form(club: DjangoClub, client: httpx.Client) -> httpx.Response:
    return club.sign_in(client, BOB)


def by_admin_site(club: DjangoClub, client: httpx.Client) -> httpx.Response:
    return club.sign_in(client, BOB, path="/admin/login/?next=/admin/")


def by_json(club: DjangoClub, client: httpx.Client) -> httpx.Response:
    return club.sign_in_by_json(client, BOB)


def by_reset_link(club: DjangoClub, client: httpx.Client) -> httpx.Response:
    form = client.get(club.reset_link(BOB), headers=NAVIGATION).headers["location"]
    return club.send(client, form, new_password1=AT_AUTHER, new_password2=AT_AUTHER)


def silently(_: DjangoClub, client: httpx.Client) -> httpx.Response:
    return client.get("/impersonate", params={"user": str(BOB)}, headers=NAVIGATION)


DOORS: dict[str, Callable[[DjangoClub, httpx.Client], httpx.Response]] = {
    "form": by_form,
    "admin": by_admin_site,
    "json": by_json,
    "reset": by_reset_link,
    "other": silently,
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_counted_while_it_is_open_and_closed_in_drain(
    club: DjangoClub, door: str
) -> None:
    let_in = club.count("auth_logins_total", door=door, side="legacy")
    with club.browser() as client:
        DOORS[door](club, client)
        assert club.who(client) == str(BOB)
    assert club.count("auth_logins_total", door=door, side="legacy") == let_in + 1

    club.set_stage(Stage.DRAIN)
    refused = club.count("auth_logins_refused_total", door=door, stage="drain")
    last_login = club.sql("SELECT last_login FROM users WHERE id = %s", BOB)
    with club.browser() as client:
        client.get("/cart", params={"item": "teapot"})
        answer = DOORS[door](club, client)
        assert club.who(client) is None
        assert client.get("/whoami").json()["cart"] == "teapot"
    assert club.count("auth_logins_refused_total", door=door, stage="drain") == refused + 1
    if door != "reset":
        assert club.sql("SELECT last_login FROM users WHERE id = %s", BOB) == last_login
    if door == "json":
        assert (answer.status_code, answer.json()) == (403, {"error": "login_moved"})
    else:
        assert answer.headers["location"].startswith("/login" if door == "reset" else START)
    if door == "admin":
        assert answer.headers["location"].endswith("return_to=/admin/")


@pytest.fixture
def moved(club: DjangoClub) -> DjangoClub:
    """Alice's home is Auther, with another password there."""
    club.issuer.plugin.passwords[sub_of(ALICE)] = AT_AUTHER
    club.move(ALICE, "auther")
    return club


def test_a_moved_users_reset_link_becomes_one_at_auther_once(moved: DjangoClub) -> None:
    moved.sql("UPDATE users SET last_login = now() WHERE id = %s", ALICE)
    link, before = moved.reset_link(ALICE), moved.hash_of(ALICE)
    with moved.browser() as client:
        form = client.get(link, headers=NAVIGATION).headers["location"]
        moved.issuer.plugin.mode = "down"
        unavailable = client.get(form, headers=NAVIGATION)
        assert (unavailable.status_code, unavailable.headers["retry-after"]) == (503, "5")
        moved.issuer.plugin.mode = "ok"
        answer = client.get(form, headers=NAVIGATION)
        assert answer.status_code == 303
        assert "/reset-password/" in answer.headers["location"]
    assert moved.issuer.plugin.called("reset-ticket")[-1] == {"id": sub_of(ALICE)}
    with moved.browser() as client:
        again = client.get(link, headers=NAVIGATION)
        assert again.status_code == 200, "Django's own page, with no form of a password"
        assert "new_password1" not in again.text
    assert moved.hash_of(ALICE) == before


def test_a_moved_user_changes_the_password_at_auther(moved: DjangoClub) -> None:
    with moved.browser() as client:
        moved.sign_in_by_json(client, ALICE, AT_AUTHER)
        answer = client.get("/password", headers=NAVIGATION)
        assert answer.status_code == 303
        assert moved.issuer.authorize_url.startswith(answer.headers["location"])
        moved.move(ALICE, "legacy")
        assert "new_password1" in client.get("/password", headers=NAVIGATION).text


def test_a_session_begun_with_authers_password_hangs_on_the_applications_own_backend(
    moved: DjangoClub,
) -> None:
    with moved.browser() as client:
        moved.sign_in_by_json(client, ALICE, AT_AUTHER)
        assert moved.who(client) == str(ALICE)


@pytest.mark.parametrize(("there", "matched"), [("the same", True), (AT_AUTHER, False)])
def test_a_right_password_is_tried_at_auther_beside_the_login(
    club: DjangoClub, there: str, matched: bool
) -> None:
    here = club.people[ALICE]["plaintext_password"]
    club.issuer.plugin.passwords[sub_of(ALICE)] = here if there == "the same" else there
    club.sql("DELETE FROM migrator_shadow")
    with club.browser() as client:
        club.sign_in(client, ALICE)
    query = "SELECT matched FROM migrator_shadow WHERE user_pk = %s"
    club.wait_for(lambda: club.sql(query, str(ALICE)) == [(matched,)])


def test_after_a_rollback_passwords_stay_here_that_auther_has_no_business_with(
    club: DjangoClub,
) -> None:
    check_that_a_rollback_withholds_passwords(club, club.enter)


def test_a_logout_everywhere_ends_sessions_though_the_database_dropped_all_connections(
    club: DjangoClub,
) -> None:
    # Nobody else's test: that she is signed out is remembered for two seconds.
    club.issuer.plugin.passwords[sub_of(CAROL)] = AT_AUTHER
    club.move(CAROL, "auther")
    with club.browser() as client:
        club.sign_in_by_json(client, CAROL, AT_AUTHER)
        assert club.who(client) == str(CAROL)
        club.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        statement = "UPDATE migrator_identity SET auth_valid_after = now() WHERE user_pk = %s"
        club.sql(statement, str(CAROL))
        club.wait_for(lambda: client.get("/whoami").status_code == 401)
        assert client.get("/whoami").json()["user"] is None, "taken out of the session"


def test_a_login_keeps_the_own_cart_in_a_new_session_and_drops_somebody_elses(
    club: DjangoClub,
) -> None:
    for before, cart in ((ALICE, "teapot"), (BOB, None)):
        with club.browser() as client:
            club.sign_in(client, before)
            client.get("/cart", params={"item": "teapot"})
            session = client.cookies["sessionid"]
            club.sign_in_at_auther(client, ALICE)
            said = client.get("/whoami").json()
            assert (said["user"], said["credential"], said["cart"]) == (str(ALICE), "cookie", cart)
            assert client.cookies.get("sessionid") != session
        # The login has moved alice, and the form would send her to Auther.
        club.move(ALICE, "legacy")


def test_authers_user_gets_no_session_and_caches_are_told(club: DjangoClub) -> None:
    token = club.token(ALICE)
    bearer = {"Authorization": f"Bearer {token}"}
    for client, headers, by in (
        (club.browser(), bearer, "Authorization"),
        (club.browser(token=token), {}, "Cookie"),
    ):
        with client:
            answer = client.get("/whoami", headers=headers)
            assert answer.json()["user"] == str(ALICE)
            assert by in answer.headers["vary"].split(", ")
            assert "sessionid" not in client.cookies


def test_a_session_beside_its_own_users_token_is_no_new_login(club: DjangoClub) -> None:
    with club.browser() as client:
        club.sign_in(client, BOB)
        club.set_stage(Stage.DRAIN)
        bearer = {"Authorization": f"Bearer {club.token(BOB)}"}
        client.get("/cart", params={"item": "teapot"}, headers=bearer)
        said = client.get("/whoami").json()
        assert (said["user"], said["cart"]) == (str(BOB), "teapot")


def test_a_moved_users_old_password_is_no_good_by_whichever_name(moved: DjangoClub) -> None:
    """The application's own backend does not care for capitals; Django's lookup does."""
    shouted = moved.people[ALICE]["email"].upper()
    for password, status in ((moved.people[ALICE]["plaintext_password"], 303), (AT_AUTHER, 200)):
        with moved.browser() as client:
            answer = moved.sign_in(client, ALICE, username=shouted, password=password)
            assert answer.status_code == status
            assert moved.who(client) is None


def test_sessions_in_signed_cookies(running: DjangoClub) -> None:
    engine = {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}
    pepper = running.app.environment["DEVISE_PEPPER"]
    app = prepare(running.dsn, running.issuer, pepper=pepper, extra=engine)
    app.start()
    try:
        club = DjangoClub(app, running.issuer, running.dsn)
        club.wait_for(lambda: club.count("auth_detector_sees_fixture") == 1)
        with club.browser() as client:
            club.sign_in(client, BOB)
            assert club.who(client) == str(BOB)
            conflict = {"Authorization": f"Bearer {club.token(ALICE)}"}
            assert client.get("/whoami", headers=conflict).json() == {"error": "auth_conflict"}
            app.stage.set(Stage.AUTHER)
            club.wait_for(lambda: client.get("/whoami").status_code == 401)
            assert club.who(client) is None
    finally:
        app.remove()


@pytest.fixture(params=["public.users", ""], ids=["users", "no-users"])
def plain(request: pytest.FixtureRequest, running: DjangoClub) -> Iterator[DjangoClub]:
    """The application that only knows Auther, on the same users as the other one."""
    with Issuer() as issuer:
        settings = shim_settings(issuer, stage_public_key="", redirect_uri="")
        bare = replace(
            settings, legacy=False, users_table=request.param, delegate_permissions=True
        )
        has_users = {"HAS_USERS": "1" if request.param else "0"}
        app = prepare(running.dsn, issuer, settings=bare, extra=has_users | ALONE)
        app.project = "plain_settings"
        app.start()
        yield DjangoClub(app, issuer, running.dsn)
        app.remove()


def test_without_a_legacy_side(plain: DjangoClub) -> None:
    has_users = plain.app.environment["HAS_USERS"] == "1"
    own = {"user": str(ALICE), "row": ALICE} if has_users else {"user": sub_of(ALICE), "row": None}
    with plain.browser() as client:
        assert client.get("/whoami").json() == {"user": None, "row": None}
        granted = plain.token(ALICE, permissions={"document:7": ["edit"]})
        bearer = {"Authorization": f"Bearer {granted}"}
        assert client.get("/whoami", headers=bearer).json() == own
        for number, may in (("7", True), ("8", False)):
            said = client.get("/permission", params={"id": number}, headers=bearer)
            assert said.json() == {"may": may}
        refused = {"Authorization": f"Bearer {plain.token(ALICE, exp=1)}"}
        answer = client.get("/whoami", headers=refused | NAVIGATION)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})
        plain.sign_in_at_auther(client, ALICE)
        assert client.get("/whoami").json() == own
        for origin, status in (("https://evil.example", 403), (plain.app.base_url, 303)):
            out = client.post("/auth/auther/logout", headers={"Origin": origin})
            assert out.status_code == status
        assert client.get("/whoami").json()["user"] is None
    with plain.browser(token=plain.token(ALICE, exp=1)) as client:
        location = client.get("/whoami", headers=NAVIGATION).headers["location"]
        assert location.startswith(START)
        assert location.endswith("&renew=1")
    plain.wait_for(lambda: plain.count("auth_detector_sees_fixture") == 1)
    if has_users:
        check_that_it_reports_no_legacy_side(plain)


def test_the_log_says_what_was_counted(club: DjangoClub) -> None:
    check_that_the_log_says_what_was_counted(club.app)
