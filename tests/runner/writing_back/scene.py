"""Imported users whose changes at Auther are told by event rows, as the plugin writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import bcrypt

from migrator.auther.plugin.events import PREFIX
from migrator.auther.plugin.seal import SealKey, new_key
from migrator.config.load import load
from migrator.core.stage import Stage, StageDocument
from migrator.runner import stages
from migrator.runner.writing_back.running import Total, run
from phases import p1_import
from tests.parts.sealing import seal
from tests.phases.importing import PEPPER, Site, delete_users, make_site

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from migrator.core.clock import Clock

USERS = 40
SETTINGS = """
[write_back]
events = "database"
{settings}
"""


@dataclass
class Scene:
    """Forty users of the dump, imported, and an Auther where things happen."""

    site: Site
    key: str
    told: int = 0

    def auther_id(self, pk: int) -> str:
        return str(self.identity(pk)["auther_id"])

    def identity(self, pk: int | str) -> dict[str, Any]:
        return self.site.row("SELECT * FROM migrator_identity WHERE user_pk = %s", str(pk))

    def user(self, pk: int | str) -> dict[str, Any]:
        """Give a row, with times as text."""
        row = self.site.row("SELECT * FROM users WHERE id = %s", int(pk))
        return {name: str(v) if isinstance(v, datetime) else v for name, v in row.items()}

    def outcomes(self) -> list[tuple[str, str]]:
        """What became of each event, in order."""
        rows = self.site.sql("SELECT kind, outcome FROM migrator_write_back ORDER BY event_id")
        return [(kind, outcome) for kind, outcome in rows]

    def tell(self, kind: str, user_id: str, *, late_s: float = 0, **more: Any) -> str:
        """Write an event row, each a second after the one before; give its id."""
        self.told += 1
        now = self.site.ctx.clock.now() - timedelta(hours=1) + timedelta(seconds=self.told)
        at_ms = round((now.timestamp() - late_s) * 1000)
        event_id = f"{PREFIX}{at_ms:015d}:{self.told:08d}"
        value = {"type": kind, "user_id": user_id, "at_ms": at_ms, **more}
        self.site.auther(
            "INSERT INTO verification (id, identifier, value, expires_at, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(event_id, event_id, json.dumps(value), at_ms + 30 * 86_400_000, at_ms, at_ms),
        )
        return event_id

    def new_password(self, pk: int, password: str, **more: Any) -> str:
        user_id = self.auther_id(pk)
        return self.tell("password", user_id, sealed=self.sealed(password, user_id), **more)

    def sealed(self, password: str, user_id: str) -> str:
        return self.sealed_value(devise_hash(password), user_id)

    def sealed_value(self, value: str, user_id: str) -> str:
        """Seal a value of whatever scheme."""
        return seal(value, SealKey(self.key).public, user_id=user_id)

    def new_value(self, pk: int, value: str) -> None:
        """Tell of a new password by the value that the plugin made of it."""
        user_id = self.auther_id(pk)
        self.tell("password", user_id, sealed=self.sealed_value(value, user_id))

    def event(self, event_id: str) -> dict[str, Any]:
        (row,) = self.site.auther("SELECT value FROM verification WHERE identifier = ?", event_id)
        return dict(json.loads(row[0]))

    def enter(self, stage: Stage) -> None:
        document = StageDocument("shop", 1, stage, 0.0, "5a17", "2026-11-23T00:00:00Z", "00", 1)
        stages.remember(self.site.ctx, document)

    def write_back(self) -> Total:
        return run(self.site.ctx)

    def signs_in(self, pk: int | str, password: str) -> bool:
        """Ask as Devise does, with the pepper."""
        stored = self.user(pk)["encrypted_password"]
        return bcrypt.checkpw((password + PEPPER).encode()[:72], stored.encode())

    def is_in_step(self, pk: int | str) -> bool:
        """Tell that the link knows the hash that is there."""
        stored = self.user(pk)["encrypted_password"]
        return bool(self.identity(pk)["legacy_hash_fp"] == sha256(stored.encode()).hexdigest())


def devise_hash(password: str) -> str:
    secret = (password + PEPPER).encode()[:72]
    return bcrypt.hashpw(secret, bcrypt.gensalt(4, prefix=b"2a")).decode()


def make_scene(
    root: Path,
    dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    settings: str = "",
    users: int = USERS,
    clock: Clock | None = None,
) -> Scene:
    site = make_site(root, dsn, monkeypatch)
    delete_users(site, f"id > {users}")
    return import_into(site, settings=settings, clock=clock)


def import_into(site: Site, *, settings: str = "", clock: Clock | None = None) -> Scene:
    """Import whoever there is, and let changes be told by rows in Auther's own table."""
    root = site.root
    key = new_key()
    folder = root / ".migrator"
    (folder / "seal.key").write_text(key)
    (folder / "seal.key").chmod(0o600)
    file = root / "migrator.toml"
    file.write_text(file.read_text() + SETTINGS.format(settings=settings))
    ctx = replace(site.ctx, config=load(file), clock=clock or site.ctx.clock)
    site = replace(site, ctx=ctx)
    p1_import.run(site.ctx)
    return Scene(site, key)
