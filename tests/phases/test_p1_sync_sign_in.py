"""After a sync people sign in at the real better-auth with the password that they have now, and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.config.secrets import SecretRef
from migrator.core.ids import mark_key
from phases import p1_import
from tests.parts.better_auth import BetterAuth
from tests.phases.importing import PEPPER, PEPPER_ID, Site, make_site, oracle
from tests.phases.syncing import loosen_brakes, password, stored, sync, touch, vanish

if TYPE_CHECKING:
    from pathlib import Path

Start = Callable[..., BetterAuth]
SECRET = "a-secret-for-imports-of-32-bytes-or-more"
REFUSED = (401, "INVALID_EMAIL_OR_PASSWORD")
WELCOME = (200, "")


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = make_site(tmp_path, devise_db, monkeypatch)
    p1_import.run(made.ctx)
    return loosen_brakes(made)


def start_and_reach(
    site: Site, better_auth: Start, monkeypatch: pytest.MonkeyPatch
) -> tuple[Site, BetterAuth]:
    """Start Auther on the imported file; from now on it is written through the plugin."""
    mark = mark_key(site.ctx.migration_key()).hex()
    auther = better_auth(
        site.auther_db,
        peppers={PEPPER_ID: PEPPER},
        env={"MIGRATOR_MARK": mark, "MIGRATOR_SECRET_IMPORT": SECRET, "PLUGIN_DATABASE": "1"},
    )
    monkeypatch.setenv("IMPORT_SECRET", SECRET)
    config = site.ctx.config
    way = {"kind": "endpoint", "base_url": auther.base_url}
    plugin = {"import_secret": SecretRef("env", "IMPORT_SECRET")}
    changed = {
        "auther": config.auther.model_copy(update=way),
        "plugin": config.plugin.model_copy(update=plugin),
    }
    ctx = replace(site.ctx, config=config.model_copy(update=changed))
    return replace(site, ctx=ctx), auther


def test_a_changed_password_signs_in_and_the_old_one_does_not(
    site: Site, better_auth: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {int(row["id"]): row["plaintext_password"] for row in oracle()[:8]}
    hashes = dict(site.sql("SELECT id, encrypted_password FROM users WHERE id <= 8"))
    site, auther = start_and_reach(site, better_auth, monkeypatch)

    def answer(pk: int, word: str) -> tuple[int, str]:
        (address,) = stored(site, pk, "email")
        found = auther.sign_in(address, word)
        return found.status, found.code

    assert answer(1, known[1]) == WELCOME
    assert ":" in (password(site, 1) or "")
    assert not (password(site, 1) or "").startswith("migrator:"), "hashed anew by Auther"
    # User 1 was hashed anew before the change, user 2 never signed in, user 3 only signs in.
    touch(site, 1, encrypted_password=hashes[5])
    touch(site, 2, encrypted_password=hashes[6])
    assert answer(3, known[3]) == WELCOME
    touch(site, 3, name="Signed in on both sides")
    touch(site, 4, deleted_at=site.ctx.clock.now())
    vanish(site, 7)
    assert sync(site, full=True).lag.rows == 0

    assert [answer(1, known[1]), answer(1, known[5])] == [REFUSED, WELCOME]
    assert [answer(2, known[2]), answer(2, known[6])] == [REFUSED, WELCOME]
    assert answer(3, known[3]) == WELCOME
    assert answer(4, known[4]) == (403, "BANNED_USER")
    assert answer(7, known[7]) == (403, "BANNED_USER")
    assert answer(8, known[8]) == WELCOME
