"""The small drill for Django and Laravel: import, changes at Auther, rollback, write-back, and everybody signs in.

The real better-auth makes the values, the real frameworks are asked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from migrator.core.stage import Stage
from migrator.runner.writing_back.pending import look
from migrator.runner.writing_back.running import run
from phases import p2_dual_path
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.django_site import DjangoSite
from tests.parts.laravel_site import LaravelSite
from tests.phases import test_p1_django, test_p1_laravel
from tests.phases.living import SETTLED_S, Start, Town, follow, go_live
from tests.phases.switching import set_stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.phases.importing import Site

NEW_NAME = "new.name@example.org"
WORD = "Crème brûlée $7"


@pytest.mark.xdist_group("django-site")
def test_whoever_changed_something_at_auther_signs_in_at_django_after_a_rollback(
    tmp_path: Path, django_db: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start
) -> None:
    legacy = test_p1_django.make(tmp_path, django_db, monkeypatch, legacy="", settings="")
    town = move_in(legacy, monkeypatch, better_auth, "SELECT id, email FROM auth_user")
    staff = pk_of(town, "nameless@example.org")
    town.changes_there(staff, "the staff's new word")

    pending = change_things_and_go_back(
        town, password_of="bcrypt_sha256@example.org", renamed="mail.name@example.org"
    )

    assert pending == {
        staff: "staff and superusers are changed in the application only, by themselves"
    }
    asked = [
        ("bcrypt_sha256", "set at Auther"),
        ("bcrypt_sha256", WORD),
        ("new.name@example.org", WORD),
        ("Mail.Name@example.org", WORD),
        ("new@example.org", "the newcomer's"),
        ("nameless", WORD),
        ("nameless", "the staff's new word"),
        ("scrypt", WORD),
    ]
    signs_in = DjangoSite(town.site.dsn).sign_in(*asked)
    assert signs_in == [True, False, True, False, True, True, False, True]


def test_whoever_changed_something_at_auther_signs_in_at_laravel_after_a_rollback(
    tmp_path: Path, laravel_db: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start
) -> None:
    require("laravel")
    legacy = test_p1_laravel.make(tmp_path, laravel_db, monkeypatch)
    town = move_in(legacy, monkeypatch, better_auth, "SELECT id, email FROM users")

    pending = change_things_and_go_back(
        town, password_of="bcrypt_4@example.org", renamed="bcrypt_8@example.org"
    )

    assert pending == {}
    asked = [
        ("bcrypt_4@example.org", "set at Auther"),
        ("bcrypt_4@example.org", WORD),
        ("new.name@example.org", WORD),
        ("bcrypt_8@example.org", WORD),
        ("new@example.org", "the newcomer's"),
        ("argon2id@example.org", WORD),
    ]
    signs_in = LaravelSite(town.site.dsn).sign_in(*asked)
    assert signs_in == [True, False, True, False, True, True]


def move_in(site: Site, monkeypatch: pytest.MonkeyPatch, better_auth: Start, people: str) -> Town:
    site, auther = go_live(site, monkeypatch, better_auth)
    emails = {int(pk): email.lower() for pk, email in site.sql(people)}
    town = Town(site, auther, emails, dict.fromkeys(emails, WORD))
    follow(town)
    set_stage(town.switch, Stage.DUAL)
    return town


def pk_of(town: Town, email: str) -> int:
    return next(pk for pk, known in town.emails.items() if known == email)


def change_things_and_go_back(town: Town, *, password_of: str, renamed: str) -> dict[int, str]:
    """Let things change at Auther, roll back, write back; give of whom something is open, and why."""
    changed, moved = pk_of(town, password_of), pk_of(town, renamed)
    town.changes_there(changed, "set at Auther")
    boss = town.boss()
    boss.post("admin/update-user", userId=town.auther_id(moved), data={"email": NEW_NAME})
    body = {"email": "new@example.org", "password": "the newcomer's", "name": "New"}
    town.auther.request("POST", "/api/auth/sign-up/email", json=body)
    (new,) = Users(town.site.auther_db).rows("SELECT id FROM user WHERE email = 'new@example.org'")
    boss.post("admin/update-user", userId=new["id"], data={"emailVerified": True})
    time.sleep(SETTLED_S)
    found = p2_dual_path.rollback(town.site.ctx)
    assert found.done.document.stage is Stage.LEGACY
    assert found.hurt.pending is not None
    assert not found.hurt.pending.clear

    run(town.site.ctx)

    assert town.homes([changed, moved]) == {"legacy"}
    left = look(town.site.ctx)
    assert (left.unread is None or left.unread.events, left.unknown) == (0, ())
    return {int(row.user): row.why for row in left.shown}
