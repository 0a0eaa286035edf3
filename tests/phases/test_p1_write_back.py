"""What people change at the real better-auth is in the application, and the real Devise takes it."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.auther.plugin.events import EndpointFeed
from migrator.core.errors import DependencyError, RefusedError
from migrator.core.stage import Stage
from migrator.runner.writing_back.pending import look
from migrator.runner.writing_back.running import describe, run
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.devise import ask_devise
from tests.phases.importing import PEPPER
from tests.phases.living import SETTLED_S, Start, Town, make_town

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def town(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start
) -> Town:
    made = make_town(tmp_path, devise_db, monkeypatch, better_auth)
    made.enter(Stage.DUAL)
    return made


def test_what_changes_at_a_live_auther_is_what_devise_takes(town: Town) -> None:
    require("rails")
    boss = town.boss()
    old, word = town.words[1], town.words[2]
    town.changes_there(1, "set at Auther 1")
    boss.post("admin/update-user", userId=town.auther_id(2), data={"email": "moved@example.org"})
    boss.post("admin/ban-user", userId=town.auther_id(3))
    body = {"email": "new@example.org", "password": "the first word", "name": "New"}
    town.auther.request("POST", "/api/auth/sign-up/email", json=body)
    boss.post(
        "admin/update-user",
        userId=Users(town.site.auther_db).rows(
            "SELECT id FROM user WHERE email = ?", "new@example.org"
        )[0]["id"],
        data={"emailVerified": True},
    )
    time.sleep(SETTLED_S)
    pending = look(town.site.ctx)
    assert pending.unread is not None
    assert pending.unread.by_kind["password"] == 2
    assert not pending.clear

    total = run(town.site.ctx)

    assert total.open_users == 0, total
    assert look(town.site.ctx).clear
    asked = [
        (town.emails[1], "set at Auther 1"),
        (town.emails[1], old),
        (town.emails[2], word),
        ("moved@example.org", word),
        (town.emails[3], town.words[3]),
        ("new@example.org", "the first word"),
        (town.emails[4], town.words[4]),
    ]
    assert ask_devise(town.site.dsn, asked, pepper=PEPPER) == [
        "signs in",
        "wrong password",
        "unknown",
        "signs in",
        "locked",
        "signs in",
        "signs in",
    ]
    rows = town.site.auther(
        "SELECT value FROM verification WHERE identifier LIKE 'migrator:event:%'"
    )
    events = [json.loads(value) for (value,) in rows]
    assert {event.get("acknowledged") for event in events} == {True}
    assert not [event for event in events if "sealed" in event]
    assert_lost_changes_are_said(town)


def test_the_table_itself_tells_the_same(town: Town) -> None:
    town.changes_there(1, "set at Auther 1")
    with closing(EndpointFeed(town.site.ctx.config.auther.api, "w" * 32)) as stranger:
        with pytest.raises(RefusedError, match="401"):
            stranger.read("")
        with pytest.raises(RefusedError, match="401"):
            stranger.acknowledge(["migrator:event:0"])
    town.auther.stop()
    with pytest.raises(DependencyError, match="does not tell what changed"):
        run(town.site.ctx)
    time.sleep(SETTLED_S)
    config = town.site.ctx.config
    changed = {
        "write_back": config.write_back.model_copy(update={"events": "database"}),
        "auther": config.auther.model_copy(update={"kind": "sqlite"}),
    }
    ctx = replace(town.site.ctx, config=config.model_copy(update=changed))
    assert run(ctx).outcomes["written"] == 1
    assert look(ctx).clear
    assert town.homes([1]) == {"auther"}


def assert_lost_changes_are_said(town: Town) -> None:
    """Let Auther's database refuse to write a change down: then nobody can say that everything is here."""
    town.site.auther(
        "CREATE TRIGGER full BEFORE INSERT ON verification WHEN NEW.identifier LIKE 'migrator:event:%'"
        " BEGIN SELECT raise(ABORT, 'full'); END"
    )
    town.changes_there(5, "set at Auther 5")
    town.site.auther("DROP TRIGGER full")
    pending = look(town.site.ctx)
    assert (pending.users, pending.clear) == (0, False)
    assert "could not be written down at Auther" in pending.unknown[0]
    assert run(town.site.ctx).lost > 0
    standing = describe(town.site.ctx)
    assert standing
    assert "could not go back" in standing["words"]
