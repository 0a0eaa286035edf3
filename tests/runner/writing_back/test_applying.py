"""Each change at Auther becomes what Devise itself would have written, or is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from migrator.auther.plugin.seal import SealKey, new_key
from tests.parts.sealing import seal
from tests.runner.writing_back.scene import Scene, devise_hash

if TYPE_CHECKING:
    from tests.runner.writing_back.conftest import Make


def test_a_new_password_is_the_one_that_devise_takes(scene: Scene) -> None:
    scene.site.sql(
        "UPDATE users SET reset_password_token = 'link', reset_password_sent_at = now(),"
        " updated_at = '2020-01-01' WHERE id = 1"
    )
    before = scene.user(1)["encrypted_password"]
    event = scene.new_password(1, "fresh word 1")

    total = scene.write_back()

    assert dict(total.outcomes) == {"written": 1}
    assert scene.signs_in(1, "fresh word 1")
    user = scene.user(1)
    assert user["encrypted_password"][:29] != before[:29], "old sessions hang on these characters"
    assert (user["reset_password_token"], user["reset_password_sent_at"]) == (None, None)
    assert user["updated_at"] > "2026"
    assert scene.is_in_step(1), "the sync must not take it for a change of the application"
    identity = scene.identity(1)
    assert identity["home"] == "auther"
    seconds = scene.event(event)["at_ms"] // 1000
    valid = "SELECT extract(epoch FROM auth_valid_after) FROM migrator_identity WHERE user_pk='1'"
    assert scene.site.sql(valid) == [(seconds,)]


def test_auther_forgets_the_sealed_value_and_keeps_the_event(scene: Scene) -> None:
    event = scene.new_password(1, "fresh word 1")
    scene.write_back()
    assert "sealed" not in scene.event(event)
    assert scene.event(event)["acknowledged"] is True
    stored = scene.user(1)["encrypted_password"]
    assert not scene.write_back().outcomes
    assert scene.user(1)["encrypted_password"] == stored


def test_the_last_of_several_passwords_counts_whatever_comes_late(scene: Scene) -> None:
    scene.new_password(2, "first")
    scene.new_password(2, "second")
    scene.write_back()
    assert scene.signs_in(2, "second")
    scene.new_password(2, "overtaken", late_s=30)
    assert dict(scene.write_back().outcomes) == {"superseded": 1}
    assert scene.signs_in(2, "second")


def test_a_password_that_the_application_changed_too_stays_and_is_listed(scene: Scene) -> None:
    theirs = devise_hash("set in the application")
    scene.site.sql("UPDATE users SET encrypted_password = %s WHERE id = 3", theirs)
    scene.new_password(3, "set at auther")
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"legacy_changed": 1}, 1)
    assert scene.user(3)["encrypted_password"] == theirs
    assert not scene.is_in_step(3)


@pytest.mark.parametrize("junk", ["", "x", "$2a$04$cut", "5f4dcc3b5aa765d61d8327deb882cf99"])
def test_only_whole_values_of_the_expected_scheme_get_in(scene: Scene, junk: str) -> None:
    before, user_id = scene.user(4)["encrypted_password"], scene.auther_id(4)
    scene.tell("password", user_id, sealed=seal(junk, SealKey(scene.key).public, user_id=user_id))
    assert dict(scene.write_back().outcomes) == {"not_a_hash": 1}
    assert scene.user(4)["encrypted_password"] == before


def test_what_was_sealed_for_somebody_else_does_not_open(scene: Scene) -> None:
    before = scene.user(5)["encrypted_password"]
    stolen = scene.sealed("mine now", scene.auther_id(6))
    scene.tell("password", scene.auther_id(5), sealed=stolen)
    assert dict(scene.write_back().outcomes) == {"cannot_open": 1}
    assert scene.user(5)["encrypted_password"] == before


def test_a_value_that_does_not_open_is_tried_again_until_its_time_has_passed(scene: Scene) -> None:
    event = scene.new_password(7, "fresh word 7")
    key = scene.site.root / ".migrator" / "seal.key"
    good = key.read_text()
    key.write_text(new_key())
    assert dict(scene.write_back().outcomes) == {"cannot_open": 1}
    assert "sealed" in scene.event(event), "not acknowledged"
    key.write_text(good)
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"written": 1}, 0)
    assert scene.signs_in(7, "fresh word 7")


@pytest.mark.parametrize(
    ("more", "outcome"),
    [({"sealed_expired": True}, "sealed_expired"), ({}, "sealed_missing")],
)
def test_a_password_without_its_value_moves_the_user_and_is_listed(
    scene: Scene, more: dict[str, object], outcome: str
) -> None:
    scene.tell("password", scene.auther_id(8), **more)
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({outcome: 1}, 1)
    assert scene.identity(8)["home"] == "auther"
    scene.new_password(8, "and now a good one")
    assert scene.write_back().open_users == 0


def test_an_address_goes_over_and_ends_a_pending_change(scene: Scene) -> None:
    scene.site.sql(
        "UPDATE users SET unconfirmed_email = 'other@example.org', reset_password_token = 'link'"
        " WHERE id = 9"
    )
    scene.tell("email", scene.auther_id(9), email="New.Address@Example.org", email_verified=True)
    scene.write_back()
    user = scene.user(9)
    assert user["email"] == "new.address@example.org"
    assert (user["unconfirmed_email"], user["reset_password_token"]) == (None, None)
    assert scene.identity(9)["home"] == "auther"


def test_an_address_that_another_row_has_is_listed_until_it_is_free(scene: Scene) -> None:
    scene.tell("email", scene.auther_id(10), email="member11@example.org", email_verified=True)
    assert dict(scene.write_back().outcomes) == {"email_collision": 1}
    assert scene.user(10)["email"] == "member10@example.org"
    scene.site.sql("UPDATE users SET email = 'gone@example.org' WHERE id = 11")
    assert scene.write_back().open_users == 0
    assert scene.user(10)["email"] == "member11@example.org"


def test_an_index_over_capitals_is_a_collision_and_no_crash(scene: Scene) -> None:
    scene.site.sql("UPDATE users SET email = 'Taken@Example.org' WHERE id = 12")
    scene.site.sql("CREATE UNIQUE INDEX ON users (lower(email))")
    scene.tell("email", scene.auther_id(13), email="taken@example.org", email_verified=True)
    scene.new_password(13, "written all the same")
    assert dict(scene.write_back().outcomes) == {"email_collision": 1, "written": 1}


def test_who_is_banned_or_deleted_there_is_kept_out_here(scene: Scene) -> None:
    scene.tell("ban", scene.auther_id(14))
    scene.tell("delete", scene.auther_id(15))
    scene.tell("revoke", scene.auther_id(16))
    scene.write_back()
    assert scene.user(14)["locked_at"].startswith("9999-")
    assert scene.user(15)["deleted_at"] is not None
    buried = (
        "SELECT until > now() + interval '20 days' FROM migrator_tombstone WHERE auther_id = %s"
    )
    assert scene.site.sql(buried, scene.auther_id(15)) == [(True,)]
    for pk in (14, 15, 16):
        assert scene.identity(pk)["auth_valid_after"] is not None
        assert scene.identity(pk)["home"] == "legacy"
    scene.tell("unban", scene.auther_id(14))
    scene.site.sql("UPDATE users SET locked_at = '2026-11-23 02:50' WHERE id = 17")
    scene.tell("unban", scene.auther_id(17))
    scene.write_back()
    assert scene.user(14)["locked_at"] is None
    assert scene.user(17)["locked_at"] is not None, "a lock of the application's own"


def test_where_no_column_keeps_them_out_they_are_listed(make: Make) -> None:
    scene = make()
    scene.site.sql("ALTER TABLE users DROP COLUMN deleted_at, DROP COLUMN locked_at")
    scene.tell("delete", scene.auther_id(15))
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"no_column": 1}, 1)


def test_pinned_users_keep_their_password_and_their_home(scene: Scene) -> None:
    scene.site.sql(
        "UPDATE migrator_identity SET pinned_reason = 'second_factor' WHERE user_pk='18'"
    )
    before = scene.user(18)["encrypted_password"]
    scene.new_password(18, "not for here")
    assert dict(scene.write_back().outcomes) == {"pinned": 1}
    assert (scene.user(18)["encrypted_password"], scene.identity(18)["home"]) == (before, "legacy")


def test_a_row_that_the_application_holds_is_written_a_little_later(scene: Scene) -> None:
    scene.new_password(19, "fresh word 19")
    scene.new_password(20, "fresh word 20")
    with psycopg.connect(scene.site.dsn) as busy:
        busy.execute("SELECT FROM users WHERE id = 19 FOR UPDATE")
        assert dict(scene.write_back().outcomes) == {"row_busy": 1, "written": 1}
    assert dict(scene.write_back().outcomes) == {"written": 1}
    assert scene.signs_in(19, "fresh word 19")


def test_events_of_others_are_left_alone(scene: Scene) -> None:
    other = scene.tell("password", scene.auther_id(21), sealed="v1.a.b")
    scene.site.sql("UPDATE migrator_identity SET source = 'AdminUser' WHERE user_pk = '21'")
    unknown = scene.tell("lottery", scene.auther_id(22))
    assert not scene.write_back().outcomes
    assert scene.outcomes() == []
    assert [scene.event(one).get("acknowledged") for one in (other, unknown)] == [None, None]


def test_an_address_that_was_proven_there_is_proven_here(scene: Scene) -> None:
    scene.site.sql("UPDATE users SET confirmed_at = NULL WHERE id IN (23, 24)")
    for pk in (23, 24):
        told = {"email": f"member{pk}@example.org", "email_verified": pk == 23}
        scene.tell("email", scene.auther_id(pk), **told)
    scene.write_back()
    assert scene.user(23)["confirmed_at"] is not None
    assert scene.user(24)["confirmed_at"] is None
    identity = scene.identity(23)
    assert (identity["home"], identity["auth_valid_after"]) == ("legacy", None), "nothing changed"


def test_an_address_that_nobody_proved_stays_away_until_it_is_proven(scene: Scene) -> None:
    """Written over a confirmed one it would pass for confirmed, whoever's it is."""
    scene.site.sql("UPDATE users SET confirmed_at = now() WHERE id = 25")
    before = scene.user(25)["email"]
    told: dict[str, Any] = {"email": "boss@company.example"}
    scene.tell("email", scene.auther_id(25), email_verified=False, **told)
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"email_unproven": 1}, 0)
    assert (scene.user(25)["email"], scene.identity(25)["home"]) == (before, "legacy")
    scene.tell("email", scene.auther_id(25), email_verified=True, **told)
    assert dict(scene.write_back().outcomes) == {"written": 1}
    assert scene.user(25)["email"] == told["email"]


def test_an_address_in_capitals_is_taken_without_an_index_too(scene: Scene) -> None:
    scene.site.sql("UPDATE users SET email = 'Somebody@Example.org' WHERE id = 26")
    scene.tell("email", scene.auther_id(27), email="somebody@example.org", email_verified=True)
    assert dict(scene.write_back().outcomes) == {"email_collision": 1}
    assert scene.user(27)["email"] == "member27@example.org"


def test_a_row_that_vanished_is_listed_but_for_a_deletion(scene: Scene) -> None:
    scene.site.sql(
        "SET session_replication_role = replica; DELETE FROM users WHERE id IN (28, 29)"
    )
    scene.new_password(28, "fresh word 28")
    scene.tell("delete", scene.auther_id(29))
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"row_gone": 1, "written": 1}, 1)


def test_a_change_that_no_database_takes_stops_nobody(scene: Scene) -> None:
    for at_ms in (10**17, -1):
        scene.tell("revoke", scene.auther_id(31), at_ms=at_ms)
    for user_id in ("a\0b", "\ud800"):
        scene.tell("revoke", user_id)
    scene.new_password(30, "fresh word 30")
    assert dict(scene.write_back().outcomes) == {"written": 1}
    assert scene.signs_in(30, "fresh word 30")
