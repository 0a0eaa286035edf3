"""What belongs to Laravel alone, or what the conformance suite cannot see from outside."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.queries import load
from migrator.core.stage import Stage
from tests.parts.laravel import PHP, prepare
from tests.parts.stage_file import shim_settings
from tests.shims.asgi.club import ALICE, BOB, CAROL, NAVIGATION, TOKEN_COOKIE, sub_of
from tests.shims.counting import (
    check_that_failed_answers_are_counted,
    check_that_the_log_says_what_was_counted,
)
from tests.shims.laravel.club import LaravelClub
from tests.shims.laravel.test_conformance import REMEMBER
from tests.shims.reporting import ALONE, check_that_it_reports_no_legacy_side

pytestmark = pytest.mark.xdist_group("laravel")
SESSION = "laravel_session"


def test_a_login_keeps_the_own_cart_and_drops_somebody_elses(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    for before, cart in ((ALICE, "teapot"), (BOB, None)):
        with laravel_club.browser() as client:
            laravel_club.sign_in(client, before)
            client.get("/cart", params={"item": "teapot"})
            session = client.cookies[SESSION]
            laravel_club.sign_in_at_auther(client, ALICE)
            # A session that somebody has planted or seen is another one after a login.
            assert client.cookies[SESSION] != session
            said = client.get("/whoami").json()
            assert (said["user"], said["credential"], said["cart"]) == (str(ALICE), "cookie", cart)
        # The login has moved alice, and the form would send her to Auther.
        laravel_club.move(ALICE, "legacy")


def test_whatever_signs_in_comes_through_the_guard(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DRAIN)
    before = laravel_club.count("auth_logins_refused_total", door="other", stage="drain")
    with laravel_club.browser() as client:
        # Auth::login, without any password.
        answer = client.get(f"/enter/{CAROL}", headers=NAVIGATION)
        assert (answer.status_code, answer.headers["location"][:18]) == (303, "/auth/auther/start")
        assert client.get("/whoami").json()["user"] is None
    assert (
        laravel_club.count("auth_logins_refused_total", door="other", stage="drain") == before + 1
    )


def test_remember_me_makes_a_session_while_sessions_are_made(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    with laravel_club.browser() as client:
        laravel_club.sign_in(client, BOB, remember="1")
        remembered = {REMEMBER: client.cookies[REMEMBER]}
    made = laravel_club.count("auth_logins_total", door="remember_me", side="legacy")
    for stage, gained in ((Stage.DUAL, 1), (Stage.DRAIN, 0)):
        laravel_club.set_stage(stage)
        with laravel_club.browser() as client:
            client.cookies.update(remembered)
            assert client.get("/whoami").json()["user"] == str(BOB)
            del client.cookies[REMEMBER]
            assert (client.get("/whoami").json()["user"] is not None) is bool(gained)
    assert laravel_club.count("auth_logins_total", door="remember_me", side="legacy") == made + 1


def test_no_cookie_counts_where_no_csrf_check_stands_behind(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    token = laravel_club.token(ALICE)
    with laravel_club.browser(token=token) as client:
        assert client.get("/whoami").json()["user"] == str(ALICE)
        assert client.get("/stateless/whoami").json() == {"user": None}
        bearer = {"Authorization": f"Bearer {token}"}
        assert client.get("/stateless/whoami", headers=bearer).json() == {"user": str(ALICE)}
        refused = client.get("/stateless/whoami", headers={"Authorization": "Bearer x"})
        assert (refused.status_code, refused.json()) == (401, {"error": "foreign_bearer"})


def test_a_foreign_bearer_on_its_path_finds_nobody(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    with laravel_club.browser() as client:
        laravel_club.sign_in(client, BOB)
        foreign = {"Authorization": "Bearer personal-token"}
        assert client.get("/api/v1/whoami", headers=foreign).json()["user"] is None
        assert client.get("/api/v1/whoami").json()["user"] == str(BOB)


def test_permissions_come_from_the_token(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    granted = {"permissions": {"document:7": ["edit"]}}
    asked = {"permission": "edit", "type": "document"}
    with laravel_club.browser() as client:
        bearer = {"Authorization": f"Bearer {laravel_club.token(ALICE, **granted)}"}
        for number, answer in (("7", "allowed"), ("8", "denied")):
            said = client.get("/permission", params=asked | {"id": number}, headers=bearer)
            assert said.json() == {"answer": answer}
        assert client.get("/permission", params=asked | {"id": "7"}).json() == {
            "answer": "unknown"
        }


def test_sessions_of_who_was_signed_out_everywhere_end(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    with laravel_club.browser() as client:
        laravel_club.sign_in(client, CAROL)
        laravel_club.move(CAROL, "auther")
        # So far nothing was looked up for this session.
        ended = "UPDATE migrator_identity SET auth_valid_after = now() WHERE user_pk = %s"
        laravel_club.sql(ended, str(CAROL))
        assert client.get("/whoami").json()["user"] is None
    laravel_club.sql("UPDATE migrator_identity SET auth_valid_after = NULL")
    laravel_club.move(CAROL, "legacy")


def test_a_reset_link_of_who_moved_goes_on_at_auther(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    plugin = laravel_club.issuer.plugin
    plugin.passwords[sub_of(CAROL)] = "known"
    bearer = {"Authorization": f"Bearer {laravel_club.token(ALICE)}"}
    with laravel_club.browser(**bearer) as client:
        assert client.post(f"/reset/{CAROL}").json() == {"consumed": True, "url": None}
        laravel_club.move(CAROL, "auther")
        assert "/reset-password/" in client.post(f"/reset/{CAROL}").json()["url"]
        plugin.mode = "down"
        answer = client.post(f"/reset/{CAROL}")
        plugin.mode = "ok"
        assert (answer.status_code, answer.json()) == (503, {"error": "verification_unavailable"})
        assert answer.headers["retry-after"]
    laravel_club.move(CAROL, "legacy")


def test_a_right_password_is_tried_at_auther_behind_the_answer(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    right = laravel_club.people[CAROL]["plaintext_password"]
    for there, matched in ((right, True), ("another", False)):
        laravel_club.issuer.plugin.passwords[sub_of(CAROL)] = there
        with laravel_club.browser() as client:
            answer = laravel_club.sign_in(client, CAROL)
            assert answer.headers["location"] == laravel_club.app.base_url
        query = "SELECT matched FROM migrator_shadow WHERE user_pk = %s"
        laravel_club.wait_for(
            lambda query=query, matched=matched: (
                laravel_club.sql(query, str(CAROL)) == [(matched,)]
            )
        )


def test_without_the_secret_a_password_that_auther_lacks_stays_here(
    laravel_club: LaravelClub, monkeypatch: pytest.MonkeyPatch
) -> None:
    laravel_club.set_stage(Stage.DUAL)
    asked = []

    def lacks(capability: str, *_: object) -> dict[str, object]:
        asked.append(capability)
        return {"valid": False, "reason": "no_credential"}

    def mismatches() -> int:
        return laravel_club.count("auth_shadow_checks_total", result="mismatch")

    def is_compared() -> bool:
        with laravel_club.browser() as client:
            laravel_club.sign_in(client, CAROL)
        # Noted after everything that Auther is asked, and counted after that.
        noted = "SELECT matched FROM migrator_shadow WHERE reason = 'no_credential'"
        return laravel_club.sql(noted) == [(False,)] and mismatches() > before

    before = mismatches()
    monkeypatch.setattr(laravel_club.issuer.plugin, "answer", lacks)
    # Once, where Auther was asked in time.
    laravel_club.wait_for(is_compared)
    assert (set(asked), laravel_club.count("auth_captures_total")) == ({"verify"}, 0)


def test_a_change_that_is_not_written_back_is_asked_for_at_auther(
    laravel_club: LaravelClub,
) -> None:
    laravel_club.issuer.plugin.passwords[sub_of(CAROL)] = "set at Auther"
    laravel_club.move(CAROL, "auther")

    def doors() -> list[int]:
        found = []
        for password in (laravel_club.people[CAROL]["plaintext_password"], "set at Auther"):
            with laravel_club.browser() as client:
                found.append(laravel_club.sign_in(client, CAROL, password=password).status_code)
        return found

    laravel_club.set_stage(Stage.LEGACY)
    assert doors() == [303, 422], "homes do not count"
    log = load("migrator.legacy", "written_back.sql")["create"].format(log="migrator_write_back")
    laravel_club.sql(log)
    laravel_club.sql(
        "INSERT INTO migrator_write_back (event_id, source, auther_id, kind, concerns, at, outcome,"
        " state) VALUES ('evt', 'User', %s, 'password', 'password', now(), 'held', 'held')",
        sub_of(CAROL),
    )
    try:
        assert doors() == [422, 303]
        laravel_club.set_stage(Stage.LEGACY, stop_accepting=True)
        assert doors() == [303, 422], "after a compromise Auther is asked nothing"
    finally:
        laravel_club.sql("DROP TABLE migrator_write_back")
        laravel_club.move(CAROL, "legacy")


def test_requests_and_a_command_report_the_instance(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    report = (
        "SELECT stage, epoch, source, legacy_capable FROM migrator_instance "
        "WHERE instance = 'web-1'"
    )
    here = ("dual", laravel_club.app.stage.document.epoch, "live", True)
    laravel_club.wait_for(lambda: laravel_club.sql(report) == [here])
    laravel_club.sql("DELETE FROM migrator_instance")
    done = laravel_club.app.run(*PHP, "artisan", "auther:heartbeat", "--once")
    assert done.returncode == 0, done.stdout
    assert laravel_club.sql(report) == [here]


def test_who_uses_a_legacy_session_is_noted_once_a_minute(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    seen = "SELECT last_legacy_at FROM migrator_identity WHERE user_pk = %s"
    laravel_club.sql("UPDATE migrator_identity SET last_legacy_at = NULL")
    with laravel_club.browser() as client:
        laravel_club.sign_in(client, BOB)
        client.get("/whoami")
        laravel_club.wait_for(lambda: laravel_club.sql(seen, str(BOB))[0][0] is not None)
        first = laravel_club.sql(seen, str(BOB))
        client.get("/whoami")
        assert laravel_club.sql(seen, str(BOB)) == first


def test_a_restart_takes_nothing_away_from_the_sums_of_all_workers(
    laravel_club: LaravelClub,
) -> None:
    laravel_club.set_stage(Stage.DUAL)
    begun = "migrator_process_start_time_seconds"

    def counted() -> tuple[int, int]:
        return laravel_club.count("auth_requests_total", path="none"), laravel_club.count(begun)

    sum_before, since = counted()
    for _ in range(8):
        # A connection each, so that the workers take turns.
        with laravel_club.browser() as client:
            client.get("/whoami")
    laravel_club.app.stop()
    laravel_club.app.start()
    assert counted() == (sum_before + 8, since)


def test_the_log_says_what_was_counted(laravel_club: LaravelClub) -> None:
    check_that_the_log_says_what_was_counted(laravel_club.app)


def test_failed_answers_of_the_application_are_counted(laravel_club: LaravelClub) -> None:
    check_that_failed_answers_are_counted(laravel_club.app, fails=["/broken", "/thrown"])


def test_a_request_that_ends_in_the_middle_is_counted(laravel_club: LaravelClub) -> None:
    laravel_club.set_stage(Stage.DUAL)
    before = laravel_club.count("auth_requests_total", path="legacy")
    with laravel_club.browser() as client:
        laravel_club.sign_in(client, BOB)
        assert client.get("/export").text == "old code sends its file like this"
    assert laravel_club.count("auth_requests_total", path="legacy") == before + 1


@pytest.fixture(scope="module", params=["public.users", ""], ids=["users", "no-users"])
def plain(request: pytest.FixtureRequest, laravel_club: LaravelClub) -> Iterator[LaravelClub]:
    """The application that only knows Auther, on the same users as the other one."""
    with Issuer() as issuer:
        settings = shim_settings(issuer, stage_public_key="", redirect_uri="")
        bare = replace(settings, legacy=False, users_table=request.param)
        app = prepare(
            laravel_club.dsn, issuer, settings=bare, extra={"CLUB_ROUTES": "plain", **ALONE}
        )
        app.start()
        yield LaravelClub(app, issuer, laravel_club.dsn)
        app.remove()


def test_without_a_legacy_side(plain: LaravelClub) -> None:
    has_users = (plain.app.folder / "app/AutherCutover/AccountState.php").exists()
    own = str(ALICE) if has_users else sub_of(ALICE)
    with plain.browser() as client:
        assert client.get("/whoami").json()["user"] is None
        bearer = {"Authorization": f"Bearer {plain.token(ALICE)}"}
        assert client.get("/whoami", headers=bearer).json()["user"] == own
        assert client.post("/notes", headers=bearer).json() == {"by": own}
        refused = {"Authorization": f"Bearer {plain.token(ALICE, exp=1)}"}
        answer = client.get("/whoami", headers=refused | NAVIGATION)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})
        plain.sign_in_at_auther(client, ALICE)
        said = client.get("/whoami").json()
        assert (said["user"], said["credential"]) == (own, "cookie")
        assert client.post("/notes").status_code == 419
        assert client.post("/notes", headers={"X-CSRF-TOKEN": said["csrf"]}).json() == {"by": own}
        for origin, status in (("https://evil.example", 403), (plain.app.base_url, 303)):
            out = client.post("/auth/auther/logout", headers={"Origin": origin})
            assert out.status_code == status
        assert client.get("/whoami").json()["user"] is None
    with plain.browser(token=plain.token(ALICE, exp=1)) as client:
        location = client.get("/whoami", headers=NAVIGATION).headers["location"]
        assert location.startswith("/auth/auther/start?")
        assert location.endswith("&renew=1")
    if has_users:
        check_that_it_reports_no_legacy_side(plain)
    assert plain.labels("migrator_shim_info")["stage"] == "auther"
    with plain.browser(token="forged") as client:
        answer = client.get("/whoami", headers=NAVIGATION)
        assert answer.headers["location"].startswith("/auth/auther/start?return_to=")
        assert TOKEN_COOKIE not in client.cookies
