"""What nobody can verify is a wrong password: 401, never 500, and the log tells the shape only."""

import pytest

from tests.auther.plugin.users import Users, bcrypt_envelope, envelope
from tests.parts.better_auth import BetterAuth

BCRYPT = "$2a$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe"
KEY = "cd" * 64
UNKNOWN = {
    "raw bcrypt": (BCRYPT + "W", "2a, 60 characters"),
    "argon2": ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "argon2id, 44 characters"),
    "django": ("pbkdf2_sha256$1000$salt$aGFzaA==", "no prefix, 32 characters"),
    "md5": ("d41d8cd98f00b204e9800998ecf8427e", "no prefix, 32 hex digits"),
    "blank": (" ", "no prefix, 1 characters"),
    "colon": (":", "no prefix, 1 characters"),
    "no salt": (f":{KEY}", "no prefix, 129 characters"),
    "no key": (f"{'ab' * 16}:", "no prefix, 33 characters"),
    "key of odd length": (f"{'ab' * 16}:{KEY[:-1]}", "no prefix, 160 characters"),
    "short key": (f"{'ab' * 16}:{KEY[:-2]}", "no prefix, 159 characters"),
    "key that is not hex": (f"{'ab' * 16}:{'xy' * 64}", "no prefix, 161 characters"),
    "control characters": ("\x01\x7f\ufffd", "no prefix, 3 characters"),
    "other version": (f"migrator:v2:bcrypt:peppers=none:{BCRYPT}W", "v2:bcrypt"),
    "other scheme": ("migrator:v1:sha1:peppers=none:abc", "v1:sha1, 33 characters"),
    "cut off": ("migrator:v1:bcrypt", "no prefix, 18 characters"),
    "no value": ("migrator:v1:bcrypt:peppers=none", "v1:bcrypt, 31 characters"),
    "empty value": (envelope(""), "v1:bcrypt, 32 characters"),
    "cut-off bcrypt": (envelope(BCRYPT), "v1:bcrypt, 91 characters"),
    "bcrypt with more": (envelope(f"{BCRYPT}WW"), "v1:bcrypt, 93 characters"),
    "white space": (envelope(f"{BCRYPT}W\n"), "v1:bcrypt, 93 characters"),
    "cost of 3": (envelope(BCRYPT.replace("$04$", "$03$") + "W"), "v1:bcrypt, 92 characters"),
    "no peppers": (f"migrator:v1:bcrypt::{BCRYPT}W", "v1:bcrypt, 80 characters"),
    "empty peppers": (f"migrator:v1:bcrypt:peppers=:{BCRYPT}W", "v1:bcrypt, 88 characters"),
    "five peppers": (
        f"migrator:v1:bcrypt:peppers=a,b,c,d,e:{BCRYPT}W",
        "v1:bcrypt, 97 characters",
    ),
    "unknown parameter": (
        f"migrator:v1:bcrypt:peppers=none&key=1:{BCRYPT}W",
        "v1:bcrypt, 98 characters",
    ),
    "pepper id with a dot": (
        f"migrator:v1:bcrypt:peppers=a.b:{BCRYPT}W",
        "v1:bcrypt, 91 characters",
    ),
}


@pytest.mark.parametrize(("stored", "shape"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_an_unknown_value_is_a_wrong_password(
    auther: BetterAuth, users: Users, stored: str, shape: str
) -> None:
    user = users.add(stored)
    answer = auther.sign_in(user.email, "U*U")
    assert (answer.status, answer.code) == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert users.stored(user) == stored
    assert f"no scheme for a stored value: {shape}" in auther.log()
    assert len(stored) < 20 or stored not in auther.log()


def test_an_unknown_user(auther: BetterAuth) -> None:
    answer = auther.sign_in("nobody-at-all@example.com", "U*U")
    assert (answer.status, answer.code) == (401, "INVALID_EMAIL_OR_PASSWORD")


@pytest.mark.parametrize("credential", [True, False], ids=["NULL password", "no account"])
def test_a_user_without_a_password(auther: BetterAuth, users: Users, credential: bool) -> None:
    for typed in ("", "null", "None"):
        user = users.add(None, credential=credential)
        assert auther.sign_in(user.email, typed).status == 401


def test_an_empty_password_does_not_match(auther: BetterAuth, users: Users) -> None:
    assert auther.sign_in(users.add(bcrypt_envelope("x")).email, "").status == 401
