"""Where people are at home, by the stage in which something changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.stage import Stage
from migrator.metrics.write_back_check import WriteBackCheck
from tests.runner.writing_back.scene import devise_hash

if TYPE_CHECKING:
    from tests.runner.writing_back.scene import Scene


def move(scene: Scene, *pks: int) -> None:
    keys = [str(pk) for pk in pks]
    scene.site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = ANY(%s)", keys)


def home(scene: Scene, pk: int) -> str:
    return str(scene.identity(pk)["home"])


def test_in_dual_a_new_password_or_address_moves_its_owner_and_nothing_else_does(
    scene: Scene,
) -> None:
    scene.new_password(1, "fresh word 1")
    scene.tell("email", scene.auther_id(2), email="two@example.org", email_verified=True)
    scene.tell("revoke", scene.auther_id(3))
    scene.tell("ban", scene.auther_id(4))
    scene.write_back()
    assert [home(scene, pk) for pk in (1, 2, 3, 4)] == ["auther", "auther", "legacy", "legacy"]


def test_after_a_rollback_everybody_comes_home_whose_changes_are_written(scene: Scene) -> None:
    move(scene, 1, 2, 3)
    scene.new_password(1, "fresh word 1")
    scene.tell("password", scene.auther_id(2), sealed_expired=True)
    scene.enter(Stage.LEGACY)
    total = scene.write_back()
    assert (total.moved_back, total.open_users) == (2, 1)
    assert [home(scene, pk) for pk in (1, 2, 3)] == ["legacy", "auther", "legacy"]
    assert scene.signs_in(1, "fresh word 1")

    scene.new_password(2, "a good one")
    assert scene.write_back().moved_back == 1
    assert home(scene, 2) == "legacy"


def test_in_dual_nobody_comes_home(scene: Scene) -> None:
    move(scene, 1)
    assert scene.write_back().moved_back == 0
    assert home(scene, 1) == "auther"


def test_in_stage_legacy_who_has_nothing_written_back_does_not_move(scene: Scene) -> None:
    scene.enter(Stage.LEGACY)
    scene.tell("password", scene.auther_id(5))
    scene.tell("email", scene.auther_id(6), email="member7@example.org", email_verified=True)
    scene.write_back()
    assert [home(scene, pk) for pk in (5, 6)] == ["legacy", "legacy"]


def test_in_stage_legacy_a_password_set_in_the_application_meanwhile_wins(scene: Scene) -> None:
    move(scene, 7)
    scene.new_password(7, "set at auther before the rollback")
    scene.enter(Stage.LEGACY)
    theirs = devise_hash("set here after it")
    scene.site.sql("UPDATE users SET encrypted_password = %s WHERE id = 7", theirs)
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"legacy_kept": 1}, 0)
    assert scene.signs_in(7, "set here after it")
    assert home(scene, 7) == "legacy"
    assert not scene.is_in_step(7), "the sync brings it to Auther"


def test_a_gate_sees_how_long_something_is_held(scene: Scene) -> None:
    ctx = scene.site.ctx
    check = WriteBackCheck(ctx.state.checkpoints, ctx.clock)
    scene.write_back()
    assert (check.look().seconds, check.look().open_users) == (0, 0)
    scene.tell("email", scene.auther_id(8), email="member9@example.org", email_verified=True)
    scene.write_back()
    assert check.look().open_users == 1
    seconds = check.look().seconds
    assert seconds is not None
    assert 3590 < seconds < 3600, "told an hour ago"
