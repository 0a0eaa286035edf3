"""An application and its live Auther, with the plugin in it and sixty people who use both."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import bcrypt

from migrator.auther.plugin.seal import SealKey, new_key
from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.ids import mark_key
from migrator.core.stage import Stage, StageDocument
from migrator.runner import stages
from migrator.runner.plugin_environment import write_back_made_as
from phases import p1_import
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.auther.plugin.visitor import Visitor, admin
from tests.parts.better_auth import BetterAuth
from tests.parts.postgres import free_port
from tests.phases.importing import PEPPER, PEPPER_ID, Site, make_site, oracle
from tests.phases.switching import FAR, GATE, Switching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pytest

Start = Callable[..., BetterAuth]
USERS = 60
FILES = {
    "plugin-events.secret": "a-secret-of-the-tests-for-events-32-bytes",
    "plugin-import.secret": "a-secret-of-the-tests-for-import-32-bytes",
}
SECTIONS = """
[write_back]
new_users = true
[sync]
max_passwords_share = 1.0
"""
BOSS = "the administrator's word"
# Until the plugin gives out what is young.
SETTLED_S = 1.2


@dataclass
class Town:
    """Both sides.

    Attributes:
        emails: What each person types, by legacy key.
        words: The password that each person set last, wherever that was.
    """

    site: Site
    auther: BetterAuth
    emails: dict[int, str] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)

    @property
    def switch(self) -> Switching:
        """The same site, as the tests of the stages see it."""
        return Switching(self.site.ctx, self.site.root, self.site.dsn)

    def enter(self, stage: Stage) -> None:
        """Be in a stage, without asking gates or instances."""
        document = StageDocument("shop", 1, stage, 0.0, "5a17", "2026-11-23T00:00:00Z", "00", 1)
        stages.remember(self.site.ctx, document)

    def boss(self) -> Visitor:
        """An administrator at Auther."""
        return admin(self.auther, Users(self.site.auther_db), bcrypt_envelope(BOSS), BOSS)

    def auther_id(self, pk: int) -> str:
        query = "SELECT auther_id FROM migrator_identity WHERE user_pk = %s"
        return str(self.site.sql(query, str(pk))[0][0])

    def homes(self, pks: Iterable[int]) -> set[str]:
        query = "SELECT home FROM migrator_identity WHERE user_pk = ANY(%s)"
        return {home for (home,) in self.site.sql(query, [str(pk) for pk in pks])}

    def move(self, pks: Iterable[int]) -> None:
        """What the shim's login callback does."""
        query = "UPDATE migrator_identity SET home = 'auther' WHERE user_pk = ANY(%s)"
        self.site.sql(query, [str(pk) for pk in pks])

    def changes_there(self, pk: int, word: str) -> None:
        """Somebody changes the password at Auther."""
        visitor = Visitor(self.auther, self.emails[pk], self.words[pk])
        visitor.post("change-password", currentPassword=self.words[pk], newPassword=word)
        self.words[pk] = word

    def changes_here(self, pk: int, word: str) -> None:
        """Somebody changes the password in the application."""
        self.touch(pk, encrypted_password=devise_hash(word))
        self.words[pk] = word

    def touch(self, pk: int, **columns: Any) -> None:
        names = ", ".join(f"{name} = %s" for name in columns)
        moved = "updated_at = clock_timestamp() AT TIME ZONE 'UTC'"
        self.site.sql(f"UPDATE users SET {names}, {moved} WHERE id = %s", *columns.values(), pk)

    def refused_there(self) -> dict[int, int]:
        """Let everybody sign in at Auther; give the status of those whom it refuses."""

        def ask(pk: int) -> tuple[int, int]:
            return pk, self.auther.sign_in(self.emails[pk], self.words[pk]).status

        with ThreadPoolExecutor(4) as pool:
            return {pk: status for pk, status in pool.map(ask, self.words) if status != 200}


def devise_hash(word: str) -> str:
    secret = (word + PEPPER).encode()[:72]
    return bcrypt.hashpw(secret, bcrypt.gensalt(4, prefix=b"2a")).decode()


def make_town(root: Path, dsn: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start) -> Town:
    """Import sixty people and start Auther on what was imported."""
    site = make_site(root, dsn, monkeypatch)
    site.sql(f"SET session_replication_role = replica; DELETE FROM users WHERE id > {USERS}")
    made = f"bcrypt:cost=4&pepper={PEPPER_ID}"
    site, auther = go_live(
        site, monkeypatch, better_auth, new_passwords=made, peppers={PEPPER_ID: PEPPER}
    )
    people = {int(row["id"]): row for row in oracle() if int(row["id"]) <= USERS}
    return Town(
        site,
        auther,
        {pk: row["email"] for pk, row in people.items()},
        {pk: row["plaintext_password"] for pk, row in people.items()},
    )


def go_live(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    better_auth: Start,
    *,
    new_passwords: str = "",
    peppers: Mapping[str, str] | None = None,
) -> tuple[Site, BetterAuth]:
    """Import everybody, and start Auther on what was imported.

    Args:
        site: Before its import.
        monkeypatch: For the environment.
        better_auth: Starts Auther.
        new_passwords: How the plugin makes values for the application; empty as the migrator says.
        peppers: By id.
    """
    root = site.root
    monkeypatch.setenv("STAGE_KEY", _text(secrets.token_bytes(32)))
    port, key = free_port(), new_key()
    for name, text in {**FILES, "seal.key": key}.items():
        file = root / ".migrator" / name
        file.write_text(text)
        file.chmod(0o600)
    toml = root / "migrator.toml"
    text = toml.read_text() + SECTIONS + GATE.format(step="dual")
    toml.write_text(text)
    p1_import.run(replace(site.ctx, config=load(toml), clock=SystemClock()))
    way = f'[auther]\nkind = "endpoint"\nbase_url = "http://127.0.0.1:{port}"\n'
    toml.write_text(text.replace("[auther]\n", way))
    site = replace(site, ctx=replace(site.ctx, config=load(toml), clock=SystemClock()))
    made = new_passwords or write_back_made_as(site.ctx)
    environment = {**_environment(site, key), "MIGRATOR_WRITE_BACK": made}
    return site, better_auth(site.auther_db, peppers=peppers or {}, port=port, env=environment)


def follow(town: Town) -> None:
    """Let an instance of the application follow the switch."""
    town.switch.beat(epoch=FAR, baked="auther")


def _environment(site: Site, key: str) -> dict[str, str]:
    return {
        "MIGRATOR_MARK": mark_key(site.ctx.migration_key()).hex(),
        "MIGRATOR_SECRET_EVENTS": FILES["plugin-events.secret"],
        "MIGRATOR_SECRET_IMPORT": FILES["plugin-import.secret"],
        "MIGRATOR_SEAL_KEY": SealKey(key).public,
        "PLUGIN_OPTIONS": json.dumps({"newUsers": True}),
        "PLUGIN_DATABASE": "1",
    }


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
