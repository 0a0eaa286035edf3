"""Whoever signs up at Auther gets a row here, never somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.stage import Stage
from migrator.schemes.registry import claimed_by

if TYPE_CHECKING:
    from tests.runner.writing_back.conftest import Make
    from tests.runner.writing_back.scene import Scene

NEW = "new_users = true"
NEWCOMER = "n" * 32


def newcomer(scene: Scene) -> str:
    """The key of the newcomer's row."""
    (row,) = scene.site.sql("SELECT user_pk FROM migrator_identity WHERE auther_id = %s", NEWCOMER)
    return str(row[0])


def sign_up(scene: Scene, email: str = "New@Example.org", **more: object) -> str:
    return scene.tell("sign_up", NEWCOMER, email=email, name="New Person", **more)


def test_a_newcomer_signs_in_here_with_the_password_set_there(make: Make) -> None:
    scene = make(NEW)
    scene.enter(Stage.DUAL)
    sign_up(scene, sealed=scene.sealed("first word", NEWCOMER), email_verified=True)
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"written": 1}, 0)
    pk = newcomer(scene)
    user = scene.user(pk)
    assert (user["email"], user["name"]) == ("new@example.org", "New Person")
    assert user["confirmed_at"] is not None
    assert scene.signs_in(pk, "first word")
    identity = scene.identity(pk)
    assert (identity["home"], identity["origin"]) == ("auther", "jit")
    assert scene.is_in_step(pk)

    scene.tell("password", NEWCOMER, sealed=scene.sealed("second word", NEWCOMER))
    scene.write_back()
    assert scene.signs_in(pk, "second word")


def test_without_a_password_the_row_holds_a_hash_that_nobody_knows(make: Make) -> None:
    scene = make(NEW)
    sign_up(scene)
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"no_password": 1}, 1)
    stored = scene.user(newcomer(scene))["encrypted_password"]
    assert claimed_by(stored) is not None
    assert scene.user(newcomer(scene))["confirmed_at"] is None
    scene.tell("password", NEWCOMER, sealed=scene.sealed("a word", NEWCOMER))
    assert scene.write_back().open_users == 0
    assert scene.signs_in(newcomer(scene), "a word")


def test_an_address_that_a_row_has_links_nobody(make: Make) -> None:
    scene = make(NEW)
    before = scene.site.sql("SELECT count(*) FROM users")
    for email in ("member1@example.org", "MEMBER2@example.org"):
        sign_up(scene, email, sealed=scene.sealed("mine now", NEWCOMER))
    assert dict(scene.write_back().outcomes) == {"identity_unlinked": 2}
    assert scene.site.sql("SELECT count(*) FROM users") == before
    assert not scene.signs_in(1, "mine now")
    links = "SELECT count(*) FROM migrator_identity WHERE auther_id = %s"
    assert scene.site.sql(links, NEWCOMER) == [(0,)]


def test_what_follows_a_sign_up_that_is_held_waits_for_it(make: Make) -> None:
    scene = make(NEW)
    scene.site.sql("ALTER TABLE users ADD COLUMN plan text")
    scene.site.sql("UPDATE users SET plan = 'gold'")
    scene.site.sql("ALTER TABLE users ALTER COLUMN plan SET NOT NULL")
    sign_up(scene, sealed=scene.sealed("first word", NEWCOMER))
    scene.tell("password", NEWCOMER, sealed=scene.sealed("second word", NEWCOMER))
    assert scene.write_back().outcomes == {"column_needs_value": 1, "waits_for_sign_up": 1}
    (named,) = scene.site.sql(
        "SELECT detail FROM migrator_write_back WHERE outcome = 'column_needs_value'"
    )
    assert named == ("plan",)

    scene.site.sql("ALTER TABLE users ALTER COLUMN plan SET DEFAULT 'free'")
    assert scene.write_back().open_users == 0
    assert scene.signs_in(newcomer(scene), "second word")
    assert scene.user(newcomer(scene))["plan"] == "free"


def test_a_value_for_a_column_can_be_configured(make: Make) -> None:
    scene = make(f'{NEW}\ndefaults = {{ plan = "free", seats = 3, nowhere = true }}')
    scene.site.sql("ALTER TABLE users ADD COLUMN plan text, ADD COLUMN seats integer")
    sign_up(scene, sealed=scene.sealed("first word", NEWCOMER))
    scene.write_back()
    user = scene.user(newcomer(scene))
    assert (user["plan"], user["seats"]) == ("free", 3)


def test_a_row_that_the_database_refuses_is_listed_and_stops_nobody(make: Make) -> None:
    scene = make(NEW)
    scene.site.sql("ALTER TABLE users ADD CHECK (id < 1000 AND email NOT LIKE 'new%')")
    sign_up(scene, sealed=scene.sealed("first word", NEWCOMER))
    scene.new_password(1, "fresh word 1")
    assert scene.write_back().outcomes == {"refused_by_database": 1, "written": 1}


def test_a_login_here_that_came_first_keeps_its_row(make: Make) -> None:
    scene = make(NEW)
    scene.site.sql("UPDATE users SET email = 'new@example.org' WHERE id = 5")
    scene.site.sql(
        "UPDATE migrator_identity SET auther_id = %s, home = 'auther', origin = 'jit'"
        " WHERE user_pk = '5'",
        NEWCOMER,
    )
    sign_up(scene, sealed=scene.sealed("first word", NEWCOMER))
    assert scene.write_back().outcomes == {"written": 1}
    assert scene.signs_in(5, "first word")


def test_unless_asked_for_nobody_new_gets_a_row(scene: Scene) -> None:
    sign_up(scene, sealed=scene.sealed("first word", NEWCOMER))
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"not_wanted": 1}, 0)
