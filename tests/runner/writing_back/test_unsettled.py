"""What people changed at Auther is not overwritten by the sync before it is written back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.stage import Stage
from tests.phases.syncing import OTHER_HASH, auther_id, password, quarantined, stored, sync, touch

if TYPE_CHECKING:
    from tests.runner.writing_back.scene import Scene

NEW_ADDRESS = "new-address@example.org"
RENAME = 'UPDATE "user" SET email = ? WHERE id = ?'


def test_an_address_from_auther_waits_for_the_write_back(scene: Scene) -> None:
    scene.enter(Stage.DUAL)
    scene.write_back()
    scene.site.auther(RENAME, NEW_ADDRESS, auther_id(scene.site, 1))
    scene.tell("email", scene.auther_id(1), email=NEW_ADDRESS, email_verified=True)
    touch(scene.site, 1, name="Another Name")
    report = sync(scene.site)
    assert quarantined(scene.site)["1"] == "changed_at_auther_meanwhile"
    assert not report.holds
    assert stored(scene.site, 1, "email") == (NEW_ADDRESS,)
    scene.write_back()
    assert scene.user(1)["email"] == NEW_ADDRESS
    sync(scene.site)
    assert "1" not in quarantined(scene.site)
    assert stored(scene.site, 1, "email") == (NEW_ADDRESS,)


def test_two_new_passwords_leave_the_decision_to_the_write_back(scene: Scene) -> None:
    scene.enter(Stage.DUAL)
    scene.write_back()
    before = password(scene.site, 2)
    scene.new_password(2, "set at Auther")
    touch(scene.site, 2, encrypted_password=OTHER_HASH)
    sync(scene.site)
    assert password(scene.site, 2) == before
    assert not scene.is_in_step(2), "the link must not take the application's new hash for known"
    scene.write_back()
    assert scene.user(2)["encrypted_password"] == OTHER_HASH


def test_who_was_deleted_is_shut_out_all_the_same(scene: Scene) -> None:
    scene.enter(Stage.DUAL)
    scene.write_back()
    scene.new_password(3, "set at Auther")
    touch(scene.site, 3, deleted_at=scene.site.ctx.clock.now())
    sync(scene.site)
    assert stored(scene.site, 3, "banned") == (1,)


def test_without_a_write_back_the_application_decides(scene: Scene) -> None:
    scene.tell("email", scene.auther_id(1), email=NEW_ADDRESS)
    touch(scene.site, 1, name="Another Name")
    sync(scene.site)
    assert stored(scene.site, 1, "name") == ("Another Name",)
