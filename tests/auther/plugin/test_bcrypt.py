"""Which passwords an envelope with a bcrypt value accepts."""

import string
import unicodedata

import pytest

from tests.auther.plugin.conftest import PEPPERS
from tests.auther.plugin.users import Users, bcrypt_envelope, envelope
from tests.parts.better_auth import BetterAuth

# From the self-test of Openwall's crypt_blowfish, the implementation inside Ruby's bcrypt.
OPENWALL = [
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
    ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    (
        f"{string.digits}{string.ascii_letters}{string.digits}chars after 72 are ignored",
        "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    ),
]


def accepts(auther: BetterAuth, users: Users, stored: str, password: str) -> bool:
    """Whether a new user with this stored value can sign in; any answer but 200 and 401 is an error."""
    answer = auther.sign_in(users.add(stored).email, password)
    assert (answer.status, answer.code) in {(200, ""), (401, "INVALID_EMAIL_OR_PASSWORD")}
    return answer.status == 200


@pytest.mark.parametrize(("password", "value"), OPENWALL)
def test_values_of_another_implementation(
    auther: BetterAuth, users: Users, password: str, value: str
) -> None:
    assert accepts(auther, users, envelope(value), password)
    assert not accepts(auther, users, envelope(value), f"#{password}")


@pytest.mark.parametrize("prefix", ["2a", "2b", "2x", "2y"])
def test_every_prefix(auther: BetterAuth, users: Users, prefix: str) -> None:
    stored = bcrypt_envelope("correct horse", prefix=prefix)
    assert accepts(auther, users, stored, "correct horse")
    assert not accepts(auther, users, stored, "wrong horse")


@pytest.mark.parametrize(
    ("hashed_with", "peppers"),
    [
        ("2024-b", ("2024-b",)),
        ("2024-b", ("2019", "2024-b")),
        ("2019", ("2019", "2024-b")),
        ("none", ("2019", "2024-b", "none")),
        ("none", ("none", "2019")),
        ("y", ("2019", "2024-b", "x", "y")),
    ],
)
def test_peppers_are_tried_in_turn(
    auther: BetterAuth, users: Users, hashed_with: str, peppers: tuple[str, ...]
) -> None:
    stored = bcrypt_envelope("correct horse" + PEPPERS.get(hashed_with, ""), *peppers)
    assert accepts(auther, users, stored, "correct horse")
    assert not accepts(auther, users, stored, "wrong horse")


def test_only_the_peppers_of_the_envelope_are_tried(auther: BetterAuth, users: Users) -> None:
    assert not accepts(
        auther, users, bcrypt_envelope("pass" + PEPPERS["2019"], "x", "none"), "pass"
    )
    assert not accepts(auther, users, bcrypt_envelope("pass", "2019"), "pass")


def test_a_pepper_that_is_not_set_matches_nothing_and_is_named_once(
    auther: BetterAuth, users: Users
) -> None:
    stored = bcrypt_envelope("pass", "lost-1")
    assert not accepts(auther, users, stored, "pass")
    assert not accepts(auther, users, stored, "pass")
    assert auther.log().count('pepper "lost-1" is not set: MIGRATOR_PEPPER_LOST_1') == 1
    assert accepts(auther, users, bcrypt_envelope("passthird", "lost-1", "x"), "pass")


def test_only_the_first_72_bytes_count(auther: BetterAuth, users: Users) -> None:
    stored = bcrypt_envelope("p" * 100)
    assert accepts(auther, users, stored, "p" * 72)
    assert accepts(auther, users, stored, "p" * 72 + "another tail")
    assert not accepts(auther, users, stored, "p" * 71)


def test_a_character_across_the_72nd_byte_is_cut(auther: BetterAuth, users: Users) -> None:
    stored = bcrypt_envelope("a" + "ж" * 40)
    assert accepts(auther, users, stored, "a" + "ж" * 36)
    # ж is D0 B6, д is D0 B4: the byte that differs falls behind the cut.
    assert accepts(auther, users, stored, "a" + "ж" * 35 + "д")
    assert not accepts(auther, users, stored, "a" + "ж" * 34 + "д")


def test_a_pepper_that_reaches_over_the_cut(auther: BetterAuth, users: Users) -> None:
    stored = bcrypt_envelope("ключ" + PEPPERS["2024-b"], "2024-b")
    assert accepts(auther, users, stored, "ключ")
    assert not accepts(auther, users, stored, "ключ2")


def test_unicode_is_taken_as_it_was_typed(auther: BetterAuth, users: Users) -> None:
    composed = unicodedata.normalize("NFC", "Crème Brûlée")
    decomposed = unicodedata.normalize("NFD", composed)
    assert accepts(auther, users, bcrypt_envelope(composed), composed)
    assert not accepts(auther, users, bcrypt_envelope(composed), decomposed)
    assert accepts(auther, users, bcrypt_envelope(decomposed), decomposed)
    assert not accepts(auther, users, bcrypt_envelope(decomposed), composed)


@pytest.mark.parametrize(
    "password", [" leading", "trailing ", "tab\tinside", "\u00a0", "пароль 🔑", "短"]
)
def test_no_character_is_stripped_or_too_short(
    auther: BetterAuth, users: Users, password: str
) -> None:
    assert accepts(auther, users, bcrypt_envelope(password), password)
    assert not accepts(auther, users, bcrypt_envelope(password), password.strip() + "x")


@pytest.mark.parametrize("typed", ["pass\0", "pass\0word", "\0pass", "\0"])
def test_a_nul_byte_never_matches(auther: BetterAuth, users: Users, typed: str) -> None:
    assert not accepts(auther, users, bcrypt_envelope("pass"), typed)
    assert not accepts(auther, users, bcrypt_envelope(typed), typed)
