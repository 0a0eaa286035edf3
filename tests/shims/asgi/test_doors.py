"""Doors as the outside cannot see them: reset links, write-backs that are open, the shadow check."""

from collections.abc import Iterator

import httpx
import pytest

from migrator.core.queries import load
from migrator.core.stage import Stage
from tests.shims.asgi.club import ALICE, NAVIGATION, Club, oracle, sub_of
from tests.shims.withholding import check_that_a_rollback_withholds_passwords

LINK = "the-token-of-a-reset-link"
AT_AUTHER = "a password that only Auther knows"


@pytest.fixture
def moved(club: Club) -> Iterator[Club]:
    """Alice's home is Auther, with another password there; she asked for a reset link before."""
    plugin = club.issuer.plugin
    plugin.passwords[sub_of(ALICE)] = AT_AUTHER
    club.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = %s", str(ALICE))
    club.sql("UPDATE users SET reset_password_token = %s WHERE id = %s", LINK, ALICE)
    before = club.sql("SELECT encrypted_password FROM users WHERE id = %s", ALICE)
    yield club
    plugin.mode = "ok"
    plugin.passwords.clear()
    club.sql(
        "UPDATE users SET reset_password_token = NULL, encrypted_password = %s WHERE id = %s",
        before[0][0],
        ALICE,
    )


def follow_link(club: Club) -> httpx.Response:
    form = {"token": LINK, "password": "the new one"}
    return club.browser().post("/reset", data=form, headers=NAVIGATION)


def hash_and_link(club: Club) -> list[tuple[str, str | None]]:
    query = "SELECT encrypted_password, reset_password_token FROM users WHERE id = %s"
    return club.sql(query, ALICE)


def test_a_moved_users_reset_link_becomes_one_at_auther(moved: Club) -> None:
    ((before, _),) = hash_and_link(moved)

    answer = follow_link(moved)

    assert answer.status_code == 303
    assert "/reset-password/" in answer.headers["location"]
    assert hash_and_link(moved) == [(before, None)], "used up, and the hash as it was"
    assert moved.issuer.plugin.called("reset-ticket")[-1] == {"id": sub_of(ALICE)}


def test_with_auther_down_the_link_stays_good(moved: Club) -> None:
    before = hash_and_link(moved)
    moved.issuer.plugin.mode = "down"

    answer = follow_link(moved)

    assert (answer.status_code, answer.json()["error"]) == (503, "verification_unavailable")
    assert answer.headers["retry-after"].isdigit()
    assert hash_and_link(moved) == before


def test_a_reset_link_of_somebody_who_has_not_moved_is_honoured(moved: Club) -> None:
    moved.sql("UPDATE migrator_identity SET home = 'legacy' WHERE user_pk = %s", str(ALICE))
    before = hash_and_link(moved)
    calls = len(moved.issuer.plugin.called("reset-ticket"))

    assert follow_link(moved).headers["location"] == "/login"

    ((after, link),) = hash_and_link(moved)
    assert link is None
    assert after != before[0][0]
    assert len(moved.issuer.plugin.called("reset-ticket")) == calls


def sign_in(club: Club, password: str, user_id: int = ALICE) -> int:
    form = {"email": oracle()[user_id]["email"], "password": password}
    return club.browser().post("/login", data=form, headers=NAVIGATION).status_code


def test_back_in_legacy_a_change_that_is_not_written_back_is_asked_for_at_auther(
    moved: Club,
) -> None:
    moved.set_stage(Stage.LEGACY)
    here = oracle()[ALICE]["plaintext_password"]
    assert [sign_in(moved, here), sign_in(moved, AT_AUTHER)] == [303, 422], "homes do not count"

    moved.sql(
        load("migrator.legacy", "written_back.sql")["create"].format(log="migrator_write_back")
    )
    moved.sql(
        "INSERT INTO migrator_write_back (event_id, source, auther_id, kind, concerns, at, outcome, state) "
        "VALUES ('evt', 'User', %s, 'password', 'password', now(), 'held', 'held')",
        sub_of(ALICE),
    )
    try:
        assert [sign_in(moved, here), sign_in(moved, AT_AUTHER)] == [422, 303]
        moved.set_stage(Stage.LEGACY, stop_accepting=True)
        assert sign_in(moved, AT_AUTHER) == 422, "after a compromise Auther is asked nothing"
    finally:
        moved.sql("DROP TABLE migrator_write_back")


@pytest.mark.parametrize(("there", "result"), [("the same", "match"), (AT_AUTHER, "mismatch")])
def test_a_right_password_is_tried_at_auther_beside_the_login(
    moved: Club, there: str, result: str
) -> None:
    password = oracle()[ALICE]["plaintext_password"]
    moved.issuer.plugin.passwords[sub_of(ALICE)] = password if there == "the same" else there
    moved.sql("UPDATE migrator_identity SET home = 'legacy' WHERE user_pk = %s", str(ALICE))
    moved.sql("DELETE FROM migrator_shadow")

    def is_told() -> bool:
        # On a busy machine a check beside a sign-in may be left out.
        assert sign_in(moved, password) == 303
        return moved.sql(query, str(ALICE)) == [(result == "match",)]

    query = "SELECT matched FROM migrator_shadow WHERE user_pk = %s"
    moved.wait_for(is_told)


def test_after_a_rollback_passwords_stay_here_that_auther_has_no_business_with(club: Club) -> None:
    def enter(user_id: int) -> None:
        assert sign_in(club, oracle()[user_id]["plaintext_password"], user_id) == 303

    check_that_a_rollback_withholds_passwords(club, enter)


def test_a_moved_users_sessions_end_within_seconds_of_a_logout_everywhere(moved: Club) -> None:
    browser = moved.browser(signed_in=ALICE)
    assert browser.get("/me").json()["user"] == str(ALICE)

    moved.sql(
        "UPDATE migrator_identity SET auth_valid_after = now() WHERE user_pk = %s", str(ALICE)
    )

    moved.wait_for(lambda: browser.get("/me").status_code == 401)
    assert browser.get("/me").json() == {"user": None}, "its user was taken out of the session"
