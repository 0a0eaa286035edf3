from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.envelope import Envelope, decode

PEPPERS = st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True), min_size=1, max_size=4)


@given(st.text(), PEPPERS)
def test_a_value_comes_back_byte_for_byte(value: str, peppers: list[str]) -> None:
    envelope = Envelope("bcrypt", value, tuple(peppers))
    assert decode(envelope.encode()) == envelope


def test_the_form_is_the_documented_one() -> None:
    envelope = Envelope("bcrypt", "$2a$12$abc", ("2024", "none"))
    assert envelope.encode() == "migrator:v1:bcrypt:peppers=2024,none:$2a$12$abc"


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
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="envelope"):
        decode(text)
