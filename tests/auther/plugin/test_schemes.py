"""Each scheme over HTTP: a right password signs in and is rehashed, a wrong one changes nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from migrator.core.envelope import NO_PEPPER, PREFIX
from tests.auther.plugin.conftest import PEPPERS
from tests.auther.plugin.native import native_matches
from tests.schemes.test_vectors import CHEAP

if TYPE_CHECKING:
    from tests.auther.plugin.users import Users
    from tests.parts.better_auth import BetterAuth
    from tests.schemes.vectors import Vector

IDS = {text: name for name, text in PEPPERS.items()}


def usable() -> list[Vector]:
    """One value of each scheme, peppered where the scheme can be."""
    known = [v for v in CHEAP if v.pepper in ("", *IDS) and "\0" not in v.password]
    found: dict[str, Vector] = {}
    for vector in known:
        if vector.scheme not in found or (vector.pepper and not found[vector.scheme].pepper):
            found[vector.scheme] = vector
    return list(found.values())


def stored(vector: Vector) -> str:
    return vector.envelope(pepper_id=IDS.get(vector.pepper, NO_PEPPER))


@pytest.mark.parametrize("vector", usable(), ids=lambda vector: vector.scheme)
def test_a_password_signs_in_and_becomes_native(
    auther: BetterAuth, users: Users, vector: Vector
) -> None:
    user = users.add(stored(vector))
    refused = auther.sign_in(user.email, vector.password + "x")
    assert (refused.status, refused.code) == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert users.stored(user) == stored(vector)
    assert auther.sign_in(user.email, vector.password).status == 200
    assert native_matches(users.stored(user), vector.password)
    assert auther.sign_in(user.email, vector.password).status == 200


def test_from_72_bytes_on_any_envelope_is_kept(auther: BetterAuth, users: Users) -> None:
    vector = next(v for v in CHEAP if v.scheme == "django_pbkdf2" and len(v.password) == 100)
    user = users.add(stored(vector))
    assert auther.sign_in(user.email, vector.password).status == 200
    assert users.stored(user) == stored(vector)


@pytest.mark.parametrize(
    "value",
    [
        "sha3:peppers=none:00",
        "constructor:peppers=none:00",
        "bcrypt:peppers=none&salt=x:$2a$04$" + "a" * 53,
        "bcrypt:peppers=none:$2a$18$" + "a" * 53,
        "argon2:peppers=none:$argon2id$v=19$m=9999999,t=9999,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "template:peppers=none&algorithm=md5&template=%7Bsalt%7D:" + "0" * 32,
        "template:peppers=none&algorithm=md5&template=%7Bpassword%7D&stored=%28%3F:" + "0" * 32,
        "encryptable_sha1:peppers=none&stretches=1e9&salt=x:" + "0" * 40,
        "encryptable_sha1:peppers=none&salt=%C3:" + "0" * 40,
    ],
)
def test_what_cannot_be_read_is_a_wrong_password(
    auther: BetterAuth, users: Users, value: str
) -> None:
    answer = auther.sign_in(users.add(PREFIX + value).email, "password")
    assert (answer.status, answer.code) == (401, "INVALID_EMAIL_OR_PASSWORD")


def test_others_are_served_while_rounds_run(auther: BetterAuth, users: Users) -> None:
    template = "%7Bsha512%20%7Bpassword%7D%7D%7Bdigest%7D"
    params = f"peppers=none&algorithm=sha512&stretches=100000&template={template}"
    user = users.add(f"{PREFIX}template:{params}:{'0a' * 64}")
    slow = threading.Thread(target=auther.sign_in, args=(user.email, "p" * 1000))
    slow.start()
    answered = 0
    while slow.is_alive():
        assert auther.request("GET", "/health").status_code == 200
        answered += 1
    assert answered > 10
