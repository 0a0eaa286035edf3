"""What people change at the real better-auth is in the application, and the real Devise takes it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from migrator.auther.seal import SealKey, new_key
from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.ids import mark_key
from migrator.core.stage import Stage, StageDocument
from migrator.runner import stages
from migrator.runner.writing_back.pending import look
from migrator.runner.writing_back.running import run
from phases import p1_import
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.auther.plugin.visitor import Visitor, admin
from tests.parts import require
from tests.parts.better_auth import BetterAuth
from tests.parts.devise import ask_devise
from tests.parts.postgres import free_port
from tests.phases.importing import PEPPER, PEPPER_ID, Site, make_site, oracle

if TYPE_CHECKING:
    from pathlib import Path

Start = Callable[..., BetterAuth]
EVENTS_SECRET = "a-secret-of-the-tests-for-events-32-bytes"
BOSS = "the administrator's word"
# Until the plugin gives out what is young.
SETTLED_S = 1.2


@dataclass
class Town:
    """An application and its live Auther, with the plugin in it."""

    site: Site
    start: Callable[[], BetterAuth]
    auther: BetterAuth

    def enter(self, stage: Stage) -> None:
        document = StageDocument("shop", 1, stage, 0.0, "5a17", "2026-11-23T00:00:00Z", "00", 1)
        stages.remember(self.site.ctx, document)

    def boss(self) -> Visitor:
        users = Users(self.site.auther_db)
        return admin(self.auther, users, bcrypt_envelope(BOSS), BOSS)

    def auther_id(self, pk: int) -> str:
        query = "SELECT auther_id FROM migrator_identity WHERE user_pk = %s"
        return str(self.site.sql(query, str(pk))[0][0])


@pytest.fixture
def town(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start
) -> Town:
    site = make_site(tmp_path, devise_db, monkeypatch)
    site.sql("SET session_replication_role = replica; DELETE FROM users WHERE id > 60")
    port, key = free_port(), new_key()
    for name, text in (("seal.key", key), ("plugin-events.secret", EVENTS_SECRET)):
        file = tmp_path / ".migrator" / name
        file.write_text(text)
        file.chmod(0o600)
    toml = tmp_path / "migrator.toml"
    address = f'base_url = "http://127.0.0.1:{port}"\n'
    toml.write_text(
        toml.read_text().replace("[auther]\n", f"[auther]\n{address}")
        + "[write_back]\nnew_users = true\n"
    )
    site = replace(site, ctx=replace(site.ctx, config=load(toml), clock=SystemClock()))
    p1_import.run(site.ctx)
    environment = {
        "MIGRATOR_MARK": mark_key(site.ctx.migration_key()).hex(),
        "MIGRATOR_SECRET_EVENTS": EVENTS_SECRET,
        "MIGRATOR_SEAL_KEY": SealKey(key).public,
        "MIGRATOR_WRITE_BACK": f"bcrypt:cost=4&pepper={PEPPER_ID}",
        "PLUGIN_OPTIONS": json.dumps({"newUsers": True}),
    }

    def start() -> BetterAuth:
        return better_auth(site.auther_db, peppers={PEPPER_ID: PEPPER}, port=port, env=environment)

    return Town(site, start, start())


def words(pk: int) -> tuple[str, str]:
    """The address and the password of a user of the dump."""
    row = next(row for row in oracle() if row["id"] == str(pk))
    return row["email"], row["plaintext_password"]


def test_what_changes_at_a_live_auther_is_what_devise_takes(town: Town) -> None:
    require("rails")
    town.enter(Stage.DUAL)
    boss = town.boss()
    (first, old), (second, word), (third, _) = words(1), words(2), words(3)
    Visitor(town.auther, first, old).post(
        "change-password", currentPassword=old, newPassword="set at Auther 1"
    )
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
        (first, "set at Auther 1"),
        (first, old),
        (second, word),
        ("moved@example.org", word),
        (third, words(3)[1]),
        ("new@example.org", "the first word"),
        words(4),
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


def test_the_table_itself_tells_the_same(town: Town) -> None:
    town.enter(Stage.DUAL)
    email, old = words(1)
    Visitor(town.auther, email, old).post(
        "change-password", currentPassword=old, newPassword="set at Auther 1"
    )
    town.auther.stop()
    time.sleep(SETTLED_S)
    config = town.site.ctx.config
    section = config.write_back.model_copy(update={"events": "database"})
    ctx = replace(town.site.ctx, config=config.model_copy(update={"write_back": section}))
    assert run(ctx).outcomes["written"] == 1
    assert look(ctx).clear
    (state,) = town.site.sql("SELECT home FROM migrator_identity WHERE user_pk = '1'")
    assert state == ("auther",)
