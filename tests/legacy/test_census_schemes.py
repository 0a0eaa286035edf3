"""What the census makes of password values: schemes by name and cost, the rest by shape."""

from __future__ import annotations

import pytest

from migrator.core.users import LegacyUser
from migrator.legacy.census import CensusTaker
from migrator.legacy.shapes import cost_label, shape
from migrator.schemes.digests import declare
from tests.schemes.vectors import load

VECTORS = load()


def user(password: str | None, salt: str | None) -> LegacyUser:
    times = dict.fromkeys(("created_ms", "updated_ms", "confirmed_ms", "locked_ms", "deleted_ms"))
    return LegacyUser(
        pk="1",
        email="ada@example.org",
        password=password,
        name=None,
        username=None,
        second_factor=False,
        salt=salt,
        **times,
    )


def test_each_scheme_is_counted_by_its_name() -> None:
    taker = CensusTaker(lambda _pk, _email, _wanted: False)
    known = [vector for vector in VECTORS if not vector.declared]
    for vector in known:
        taker.take(user(vector.value, None))
    census = taker.census(1.0)
    assert census.unclaimed == 0
    assert {label.split(" ", 1)[0] for label in census.schemes} == {v.scheme for v in known}


def test_declared_digests_are_counted_by_name_and_others_by_length() -> None:
    declared = [declare("encryptable_sha1", {"stretches": "10"})]
    taker = CensusTaker(lambda _pk, _email, _wanted: False, declared)
    for value, salt in (("0a" * 20, "salt"), ("0a" * 20, None), ("0a" * 64, "salt"), (None, None)):
        taker.take(user(value, salt))
    census = taker.census(1.0)
    assert census.unclaimed == 2
    assert census.schemes == {
        "encryptable_sha1": 1,
        "unclaimed: hex40": 1,
        "unclaimed: hex128": 1,
        "no password": 1,
    }


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("$2a$12$x", "x $2a$ cost 12"),
        ("$argon2id$v=19$m=65536,t=3,p=4$salt$key", "x m=65536,t=3,p=4"),
        ("pbkdf2_sha256$1000000$salt$key", "x 1000000"),
        ("pbkdf2:sha512:600000$salt$key", "x 600000"),
        ("scrypt:32768:8:1$salt$key", "x 32768:8:1"),
        ("$6$rounds=656000$salt$key", "x rounds=656000"),
        ("$P$Bsaltsalt", "x"),
        ("{SSHA}salt", "x"),
    ],
)
def test_costs_stand_beside_the_name(value: str, label: str) -> None:
    assert cost_label("x", value) == label


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("$2a$18$" + "a" * 53, "bcrypt, cost 18"),
        ("$2a$12$" + "!" * 53, "bcrypt, malformed"),
        ("$2a$12$" + "a" * 52, "bcrypt, 59 characters long"),
        ("$wp$2y$18$" + "a" * 53, "WordPress bcrypt"),
        ("$S$Dcut", "phpass"),
        ("$apr1$cut$off", "crypt"),
        ("pbkdf2:sha256$salt$key", "Werkzeug pbkdf2"),
        ("bcrypt_sha256$$2b$12$cut", "Django bcrypt"),
    ],
)
def test_what_nobody_claims_has_a_shape(value: str, name: str) -> None:
    assert shape(value) == name
