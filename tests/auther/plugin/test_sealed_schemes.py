"""New passwords in the schemes of other frameworks than Rails, which Django's own hashers take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, PBKDF2PasswordHasher

from migrator.schemes.costs import cost_of
from tests.auther.plugin.door import ENVIRONMENT
from tests.auther.plugin.test_events import KEY, OLD, STORED, WRITE_BACK, Site
from tests.auther.plugin.users import Users
from tests.auther.plugin.visitor import admin
from tests.parts import require
from tests.parts.better_auth import start

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Longer than bcrypt reads: only what is hashed before it tells the ends apart.
NEW = "Crème brûlée " + "x" * 72


def verified_by_argon2(word: str, value: str) -> bool:
    try:
        return PasswordHasher().verify(value, word)
    except VerifyMismatchError:
        return False


VERIFIED_BY: dict[str, Callable[[str, str], bool]] = {
    "django_pbkdf2:iterations=1000": PBKDF2PasswordHasher().verify,
    "django_bcrypt:cost=4": BCryptSHA256PasswordHasher().verify,
    "argon2:kind=argon2i&m=1024&t=1&p=2": verified_by_argon2,
}
# Each is a start of Auther; bcrypt and Argon2 are made in the drills too.
FIRST, *OTHERS = VERIFIED_BY


@pytest.mark.parametrize(
    "made", [FIRST, *(pytest.param(o, marks=pytest.mark.long) for o in OTHERS)]
)
def test_a_new_password_is_sealed_as_its_framework_writes_it(tmp_path: Path, made: str) -> None:
    require("node")
    env = {**ENVIRONMENT, **WRITE_BACK, "MIGRATOR_WRITE_BACK": made}
    with start(tmp_path / "auther.db", env=env) as auther:
        users = Users(tmp_path / "auther.db")
        site = Site(auther, users, tmp_path, admin(auther, users, STORED, OLD))
        one = site.someone()
        site.boss.post("admin/set-user-password", userId=one["user"]["id"], newPassword=NEW)
        (event,) = site.events(one["user"]["id"])
    value = KEY.open(event["sealed"], user_id=event["user_id"])
    assert cost_of(value) == made
    assert VERIFIED_BY[made](NEW, value)
    assert not VERIFIED_BY[made](NEW[:-1], value)
