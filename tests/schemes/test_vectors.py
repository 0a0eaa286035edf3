"""Every scheme against values that other implementations made."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.core.envelope import NO_PARAMS, Envelope, decode
from migrator.schemes.interface import MAX_PASSWORD_BYTES
from migrator.schemes.registry import SCHEMES, claimed_by, table, verify
from tests.schemes.vectors import Vector, load

VECTORS = load()
DECLARED = list({v.declared for v in VECTORS if v.declared})
BY_FORM = [v for v in VECTORS if not v.declared]
# Enough to see it once for every scheme; a million iterations for each sample would take hours.
COSTLY = ("pbkdf2_sha256$1000000$", "pbkdf2:sha256:1000000$", "scrypt:32768:", "AQAAAAEAA9CQ")
CHEAP = [v for v in VECTORS if not v.value.startswith(COSTLY)]
one_vector = st.sampled_from(CHEAP)


def accepts(vector: Vector, password: bytes, pepper: bytes) -> bool:
    envelope = decode(vector.envelope())
    return verify(envelope, password, pepper=pepper)


def test_each_value_is_verified_by_its_scheme_and_by_nothing_but_its_password() -> None:
    for vector in VECTORS:
        assert vector.claim.scheme.name == vector.scheme
        password, pepper = vector.password.encode(), vector.pepper.encode()
        assert accepts(vector, password, pepper), vector
        if vector in CHEAP:
            assert not accepts(vector, password + b"x", pepper), vector
            assert not accepts(vector, b"y" + password[1:], pepper), vector
            assert accepts(vector, password, b"another") != vector.claim.peppered, vector


def test_every_scheme_has_vectors() -> None:
    count = Counter(vector.scheme for vector in VECTORS)
    assert not SCHEMES.keys() - count.keys()
    assert min(count.values()) >= 6


def test_a_value_has_one_owner_among_those_that_know_their_form() -> None:
    for vector in BY_FORM:
        assert [s.name for s in SCHEMES.values() if s.claim(vector.value)] == [vector.scheme]
        assert not any(d.params_for(vector.value, vector.salt) for d in DECLARED)
    for vector in VECTORS:
        if vector.declared:
            assert not any(scheme.claim(vector.value) for scheme in SCHEMES.values())


@given(one_vector, st.data())
def test_cut_off_padded_and_mutilated_values_are_nobodys(
    vector: Vector, data: st.DataObject
) -> None:
    value = vector.value
    cut = data.draw(st.integers(0, len(value) - 1))
    spoilt = data.draw(
        st.sampled_from(
            [value[:cut], value + " ", " " + value, value + "\n", value + "\0", value + "."]
        )
    )
    # Neither a salt in the value nor LDAP's says where it ends.
    if vector.scheme != "ldap" and not (vector.declared and vector.declared.recipe.salt_in_value):
        declared = [vector.declared] if vector.declared else []
        assert claimed_by(spoilt, vector.salt, declared) is None


@given(st.text(max_size=200), st.none() | st.text(max_size=20))
def test_garbage_is_nobodys(value: str, salt: str | None) -> None:
    assert claimed_by(value, salt) is None


@settings(max_examples=300, deadline=None)
@given(one_vector, st.data(), st.binary(max_size=40), st.binary(max_size=10))
def test_verify_says_no_to_hostile_values_and_never_raises(
    vector: Vector, data: st.DataObject, password: bytes, pepper: bytes
) -> None:
    at = data.draw(st.integers(0, len(vector.value) - 1))
    letter = data.draw(st.sampled_from("0$:,=AZz\n\0\u0661é%{}") | st.characters())
    value = vector.value[:at] + letter + vector.value[at + 1 :]
    params = data.draw(
        st.just(vector.claim.params)
        | st.dictionaries(st.sampled_from(["salt", "stretches", "template", "x"]), st.text())
    )
    for scheme in SCHEMES.values():
        assert scheme.verify(value, password, pepper=pepper, params=params) in {True, False}
    hostile = Envelope(vector.scheme, value, params=params)
    if value != vector.value and value.lower() != vector.value.lower():
        assert not verify(hostile, vector.password.encode(), pepper=vector.pepper.encode())


@pytest.mark.parametrize(
    "value",
    [
        "$2a$18$" + "a" * 53,
        "$wp$2y$18$" + "a" * 53,
        "bcrypt_sha256$$2b$18$" + "a" * 53,
        "$P$H" + "a" * 30,
        "$S$H" + "a" * 51,
        "$6$rounds=1000001$salt$" + "a" * 86,
        "$5$rounds=999$salt$" + "a" * 43,
        "$argon2id$v=19$m=2097152,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "$argon2id$v=19$m=1048576,t=5,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "pbkdf2_sha256$5000001$salt$" + "A" * 43 + "=",
        "pbkdf2:sha512:9999999$salt$" + "a" * 128,
        "scrypt:4194304:8:1$salt$" + "a" * 128,
        "scrypt:262144:8:8$salt$" + "a" * 128,
        "scrypt:32767:8:1$salt$" + "a" * 128,
        "AQAAAAIAf////wAAABDjML4d/hWcapHTAc9npIBocEOAeqWVjQ+s4BEgblosn4A=",
    ],
)
def test_nobody_claims_what_costs_more_than_the_bound(value: str) -> None:
    assert claimed_by(value) is None
    for scheme in SCHEMES.values():
        assert not scheme.verify(value, b"password", pepper=b"", params=NO_PARAMS)


def test_passwords_of_megabytes_cost_nothing() -> None:
    for vector in BY_FORM[:1]:
        assert not vector.claim.verify(vector.value, b"p" * (MAX_PASSWORD_BYTES + 1), pepper=b"")


def test_an_unknown_scheme_is_a_no() -> None:
    assert not verify(Envelope("sha3", "00"), b"password", pepper=b"")


def test_the_table_names_every_scheme() -> None:
    lines = table().splitlines()
    assert len(lines) == len(SCHEMES) + 2
    assert all(line.count(" | ") == 2 for line in lines[2:])
