"""The write-back into MariaDB and SQLite: what real Devise would have written, all of it or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.core.stage import Stage
from tests.parts import require
from tests.parts.any_database import open_transaction
from tests.parts.devise import ask_devise
from tests.phases.importing import PEPPER, oracle
from tests.runner.writing_back.scene import Scene, make_scene
from tests.runner.writing_back.test_killed import run_killed
from tests.runner.writing_back.test_newcomers import NEW, NEWCOMER, newcomer, sign_up

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def scene(tmp_path: Path, elsewhere_db: str, monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = make_scene(tmp_path / "operator", elsewhere_db, monkeypatch, settings=NEW)
    made.enter(Stage.DUAL)
    return made


def test_devise_takes_what_was_written(scene: Scene) -> None:
    require("rails_elsewhere")
    scene.site.sql("UPDATE users SET reset_password_token = 'link' WHERE id = 1")
    scene.new_password(1, "fresh word 1")
    scene.tell("email", scene.auther_id(2), email="two@example.org", email_verified=True)
    sign_up(scene, sealed=scene.sealed("first word", NEWCOMER), email_verified=True)
    scene.tell("ban", scene.auther_id(3))
    scene.tell("delete", scene.auther_id(4))
    scene.tell("revoke", scene.auther_id(5))

    assert dict(scene.write_back().outcomes) == {"written": 6}

    words = [row["plaintext_password"] for row in oracle()]
    asked = [
        ("member1@example.org", "fresh word 1"),
        ("member1@example.org", words[0]),
        ("two@example.org", words[1]),
        ("new@example.org", "first word"),
        ("member3@example.org", words[2]),
        ("member4@example.org", words[3]),
        ("member5@example.org", words[4]),
    ]
    assert ask_devise(scene.site.dsn, asked, pepper=PEPPER) == [
        "signs in",
        "wrong password",
        "signs in",
        "signs in",
        "locked",
        "deleted_account",
        "signs in",
    ]
    assert scene.user(1)["reset_password_token"] is None
    assert scene.is_in_step(1)
    assert scene.is_in_step(newcomer(scene))
    homes = [scene.identity(pk)["home"] for pk in (1, 2, newcomer(scene), 3, 4, 5)]
    assert homes == ["auther", "auther", "auther", "legacy", "legacy", "legacy"]
    assert scene.identity(5)["auth_valid_after"] is not None
    assert not scene.write_back().outcomes

    scene.tell("unban", scene.auther_id(3))
    scene.write_back()
    assert scene.user(3)["locked_at"] is None


def test_what_cannot_be_written_is_listed_and_stops_nobody(scene: Scene) -> None:
    scene.site.sql("UPDATE users SET email = 'Somebody@Example.org' WHERE id = 6")
    scene.tell("email", scene.auther_id(7), email="somebody@example.org", email_verified=True)
    scene.site.sql("UPDATE users SET encrypted_password = 'changed here' WHERE id = 8")
    scene.new_password(8, "changed there")
    scene.new_password(10, "a good one")
    scene.site.sql("DELETE FROM users WHERE id = 11")
    scene.new_password(11, "nobody's")
    total = scene.write_back()
    assert dict(total.outcomes) == {
        "email_collision": 1,
        "legacy_changed": 1,
        "written": 1,
        "row_gone": 1,
    }
    assert scene.signs_in(10, "a good one")


def test_whoever_changed_something_comes_home_after_a_rollback(scene: Scene) -> None:
    scene.new_password(12, "fresh word 12")
    scene.write_back()
    scene.tell("password", scene.auther_id(13), sealed_expired=True)
    scene.site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = '13'")
    scene.enter(Stage.LEGACY)
    total = scene.write_back()
    assert (total.moved_back, total.open_users) == (1, 1)
    assert [scene.identity(pk)["home"] for pk in (12, 13)] == ["legacy", "auther"]


def test_a_row_that_the_application_holds_is_written_a_little_later(
    tmp_path: Path, mariadb_devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(tmp_path, mariadb_devise_db, monkeypatch)
    scene.new_password(19, "fresh word 19")
    scene.new_password(20, "fresh word 20")
    with open_transaction(scene.site.dsn) as run:
        run("SELECT 1 FROM users WHERE id = 19 FOR UPDATE")
        assert dict(scene.write_back().outcomes) == {"row_busy": 1, "written": 1}
    assert dict(scene.write_back().outcomes) == {"written": 1}
    assert scene.signs_in(19, "fresh word 19")


@pytest.mark.long
def test_killed_around_every_effect_it_ends_like_a_quiet_run(scene: Scene) -> None:
    scene.new_password(1, "first")
    scene.new_password(1, "second")
    scene.tell("email", scene.auther_id(2), email="two@example.org", email_verified=True)
    sign_up(scene, sealed=scene.sealed("a word", NEWCOMER))
    scene.tell("ban", scene.auther_id(6))
    killed = run_killed(scene.site.root)
    assert killed > 40
    kinds = ["password", "password", "email", "sign_up", "ban"]
    assert scene.outcomes() == [(kind, "written") for kind in kinds]
    assert scene.signs_in(1, "second")
    assert scene.user(2)["email"] == "two@example.org"
    assert scene.signs_in(newcomer(scene), "a word")
    assert scene.site.sql("SELECT count(*) FROM users WHERE email = 'new@example.org'") == [(1,)]
    assert scene.user(6)["locked_at"].startswith("9999-")
    assert not scene.write_back().outcomes
    assert not [e for e in scene.site.ctx.state.ledger.pending() if e.subject == "write-back"]
