"""There and back again: forward, delta, flip, changes on both sides, rollback, write-back, forward.

Sixty people and two newcomers, on the real better-auth and the real Devise. At each stop everybody
signs in where they are told to, with the password that they set last.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from migrator.core.stage import Stage
from migrator.runner.syncing import commands
from migrator.runner.syncing.passes import Wish
from migrator.runner.writing_back.pending import look
from migrator.runner.writing_back.running import run
from phases import p1_import, p2_dual_path
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.devise import ask_devise
from tests.phases.importing import PEPPER
from tests.phases.living import SETTLED_S, Start, Town, follow, make_town
from tests.phases.switching import set_stage

if TYPE_CHECKING:
    from pathlib import Path

MOVED = range(11, 31)
FROM_HERE, FROM_THERE = 5000, 5001


@pytest.fixture
def town(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start
) -> Town:
    require("rails")
    made = make_town(tmp_path, devise_db, monkeypatch, better_auth)
    made.site.sql("ALTER SEQUENCE users_id_seq RESTART WITH 5000")
    return made


def test_nobody_is_locked_out_on_the_way_there_and_back(town: Town) -> None:
    changes_before_the_flip(town)
    sync(town)
    forward(town)
    town.move(MOVED)
    changes_on_both_sides(town)
    sync(town)
    assert town.refused_there() == {}, "in stage dual anybody may be told to sign in at Auther"
    # Nothing of it was written back so far.
    changed_there = {*range(11, 17), *range(31, 35), FROM_THERE}
    assert refused_here(town).keys() == changed_there, (
        "who changed nothing there signs in here too"
    )

    roll_back_with_changes_on_their_way(town)
    total = run(town.site.ctx)
    assert total.open_users == 0, total
    assert refused_here(town) == {}, "in stage legacy everybody is told to sign in here"
    assert town.homes(MOVED) == {"legacy"}
    assert look(town.site.ctx).clear

    changes_after_the_rollback(town)
    sync(town)
    assert run(town.site.ctx).open_users == 0
    assert refused_here(town) == {}

    forward(town)
    assert town.refused_there() == {}
    sync(town)
    found = p1_import.verify(town.site.ctx)
    assert found.holds(), found.shown


def changes_before_the_flip(town: Town) -> None:
    """In stage legacy the application is where people change things."""
    for pk in range(1, 6):
        town.changes_here(pk, f"before the flip {pk}")
    town.emails[6] = "six@example.org"
    town.touch(6, email=town.emails[6])
    town.site.sql(
        "INSERT INTO users (email, encrypted_password, confirmed_at, created_at, updated_at)"
        " VALUES ('here@example.org', '', now(), now(), now())"
    )
    town.emails[FROM_HERE] = "here@example.org"
    town.changes_here(FROM_HERE, "registered here")


def changes_on_both_sides(town: Town) -> None:
    """In dual those who moved change things at Auther, the others on either side."""
    for pk in (*range(11, 16), *range(31, 34)):
        town.changes_there(pk, f"there in dual {pk}")
    for pk in range(41, 44):
        town.changes_here(pk, f"here in dual {pk}")
    # First here, which the sync brings over, then there.
    town.changes_here(34, "here first")
    sync(town)
    town.changes_there(34, "then there")
    boss = town.boss()
    town.emails[16] = "sixteen@example.org"
    boss.post("admin/update-user", userId=town.auther_id(16), data={"email": town.emails[16]})
    sign_up_there(town)


def sign_up_there(town: Town) -> None:
    town.emails[FROM_THERE], town.words[FROM_THERE] = "there@example.org", "registered there"
    body = {"email": "there@example.org", "password": "registered there", "name": "There"}
    town.auther.request("POST", "/api/auth/sign-up/email", json=body)
    query = "SELECT id FROM user WHERE email = 'there@example.org'"
    (row,) = Users(town.site.auther_db).rows(query)
    # As the link of the mail does.
    town.boss().post("admin/update-user", userId=row["id"], data={"emailVerified": True})


def roll_back_with_changes_on_their_way(town: Town) -> None:
    """Nothing of what changed at Auther is here yet; somebody cannot wait."""
    time.sleep(SETTLED_S)
    found = p2_dual_path.rollback(town.site.ctx)
    assert found.done.document.stage is Stage.LEGACY
    assert found.hurt.moved_users == len(MOVED)
    assert found.hurt.pending is not None
    assert found.hurt.pending.unread is not None
    assert found.hurt.pending.unread.by_kind["password"] == 10
    town.changes_here(12, "could not wait for the write-back")


def changes_after_the_rollback(town: Town) -> None:
    """People who moved and came back, and one who uses Auther through another application."""
    for pk in (13, 20, 34):
        town.changes_here(pk, f"back home {pk}")
    town.changes_there(21, "there after the rollback")
    time.sleep(SETTLED_S)


def forward(town: Town) -> None:
    follow(town)
    assert set_stage(town.switch, Stage.DUAL).document.stage is Stage.DUAL


def sync(town: Town) -> None:
    report = commands.sync(town.site.ctx, Wish())
    assert report.holds, report


def refused_here(town: Town) -> dict[int, str]:
    asked = [(town.emails[pk], word) for pk, word in town.words.items()]
    answers = ask_devise(town.site.dsn, asked, pepper=PEPPER)
    return {pk: said for pk, said in zip(town.words, answers, strict=True) if said != "signs in"}
