from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.envelope import Envelope, decode

PEPPERS = st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True), min_size=1, max_size=4)


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True).filter(lambda n: n != "peppers")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS, PEPPERS, st.dictionaries(NAMES, TEXTS, max_size=4))
def test_value_and_params_come_back_byte_for_byte(
    value: str, peppers: list[str], params: dict[str, str]
) -> None:
    envelope = Envelope("bcrypt", value, tuple(peppers), params)
    assert decode(envelope.encode()) == envelope
    backwards = dict(reversed(params.items()))
    assert replace(envelope, params=backwards).encode() == envelope.encode()


def test_the_form_is_the_documented_one() -> None:
    envelope = Envelope("bcrypt", "$2a$12$abc", ("2024", "none"))
    assert envelope.encode() == "migrator:v1:bcrypt:peppers=2024,none:$2a$12$abc"
    params = {"stretches": "20", "salt": "a:b&c+ é"}
    salted = Envelope("encryptable_sha1", "00ff", ("2024",), params)
    assert salted.encode() == (
        "migrator:v1:encryptable_sha1:peppers=2024&salt=a%3Ab%26c%2B%20%C3%A9&stretches=20:00ff"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$2a$12$abc",
        "abc:def",
        "migrator:v1:",
        "migrator:v1:bcrypt",
        "migrator:v1:bcrypt:peppers=a",
        "migrator:v2:bcrypt:peppers=a:x",
        "migrator:v1:bcrypt:peppers=a,b,c,d,e:x",
        "migrator:v1:bcrypt:peppers=a/b:x",
        "migrator:v1:bcrypt:salt=a:x",
        "migrator:v1:bcrypt::x",
        "migrator:v1:bcrypt:peppers=a&:x",
        "migrator:v1:bcrypt:peppers=a&salt:x",
        "migrator:v1:bcrypt:peppers=a&salt=a+b:x",
        "migrator:v1:bcrypt:peppers=a&salt=%zz:x",
        "migrator:v1:bcrypt:peppers=a&salt=%e9:x",
        "migrator:v1:bcrypt:peppers=a&salt=a&salt=a:x",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"envelope|codec"):
        decode(text)
