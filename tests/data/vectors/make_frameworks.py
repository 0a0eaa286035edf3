"""Values of Django, Werkzeug and the reference implementation of Argon2.

    python make_frameworks.py > frameworks.json

Needs, in an environment of its own: Django 5.2, Werkzeug 3.1, argon2-cffi 25.1, bcrypt 5.0.
"""

import json
from base64 import b64encode

import django
from argon2.low_level import Type, core, ffi, lib
from django.conf import settings
from django.contrib.auth import hashers
from werkzeug.security import generate_password_hash

PASSWORDS = [
    "correct horse",
    " trailing ",
    "Cr\u00e8me",
    "Cre\u0300me",
    "ключ 🔑",
    "nul\0inside",
    "p" * 100,
]
PEPPER = "c0ffee5ca1ab1e0d" * 8


def row(scheme: str, value: str, password: str, pepper: str = "") -> dict[str, str]:
    """Give one vector."""
    return {"scheme": scheme, "value": value, "password": password, "pepper": pepper}


def django_rows() -> list[dict[str, str]]:
    """Django's own hashers; one value with as many iterations as Django 5.2 itself makes."""
    settings.configure()
    django.setup()
    sha256, sha1 = hashers.PBKDF2PasswordHasher(), hashers.PBKDF2SHA1PasswordHasher()
    values = [(p, sha256.encode(p, sha256.salt(), 1000)) for p in PASSWORDS]
    values += [(p, sha1.encode(p, sha1.salt(), 7)) for p in PASSWORDS]
    values += [("correct horse", sha256.encode("correct horse", "a salt: of!its&own%"))]
    digested, plain = hashers.BCryptSHA256PasswordHasher(), hashers.BCryptPasswordHasher()
    digested.rounds = plain.rounds = 4
    bcrypts = [(p, digested.encode(p, digested.salt())) for p in PASSWORDS]
    bcrypts += [
        (p, plain.encode(p, plain.salt())) for p in PASSWORDS if len(p) < 72 and "\0" not in p
    ]
    return [
        *(row("django_pbkdf2", value, password) for password, value in values),
        *(row("django_bcrypt", value, password) for password, value in bcrypts),
    ]


def werkzeug_rows() -> list[dict[str, str]]:
    """Werkzeug's own values, as it makes them by default and with fewer iterations."""
    methods = ("pbkdf2:sha256:1000", "pbkdf2:sha1:50", "pbkdf2:sha512:1", "scrypt:1024:8:2")
    made = [(p, generate_password_hash(p, m, 7)) for p in PASSWORDS for m in methods]
    made += [(PASSWORDS[0], generate_password_hash(PASSWORDS[0], m)) for m in ("pbkdf2", "scrypt")]
    return [row(f"werkzeug_{value.partition(':')[0]}", value, p) for p, value in made]


def argon2_value(kind: Type, password: bytes, secret: bytes, *, lanes: int, key_bytes: int) -> str:
    """Ask the reference implementation, which alone takes a secret, and write the value down."""
    salt, memory, passes = b"salt of 16 bytes", 64 * lanes, 2
    out = ffi.new("uint8_t[]", key_bytes)
    kept = [ffi.new("uint8_t[]", text or b"\0") for text in (password, salt, secret)]
    fields = {"version": 19, "out": out, "outlen": key_bytes, "pwd": kept[0], "salt": kept[1]}
    fields |= {"pwdlen": len(password), "saltlen": len(salt), "secretlen": len(secret)}
    fields |= {"secret": kept[2] if secret else ffi.NULL, "ad": ffi.NULL, "adlen": 0}
    fields |= {"t_cost": passes, "m_cost": memory, "lanes": lanes, "threads": 1}
    fields |= {"allocate_cbk": ffi.NULL, "free_cbk": ffi.NULL, "flags": lib.ARGON2_DEFAULT_FLAGS}
    assert core(ffi.new("argon2_context *", fields), kind.value) == 0
    key = bytes(ffi.buffer(out, key_bytes))
    texts = [b64encode(part).decode().rstrip("=") for part in (salt, key)]
    cost = f"m={memory},t={passes},p={lanes}"
    return f"$argon2{kind.name.lower()}$v=19${cost}${texts[0]}${texts[1]}"


def argon2_rows() -> list[dict[str, str]]:
    """All kinds, keyed and not, with several lanes and lengths of key."""
    rows = []
    for number, password in enumerate(PASSWORDS):
        for kind in Type:
            for pepper in ("", PEPPER):
                value = argon2_value(
                    kind,
                    password.encode(),
                    pepper.encode(),
                    lanes=1 + number % 3,
                    key_bytes=(16, 32, 64)[number % 3],
                )
                rows.append(row("argon2", value, password, pepper))
    return rows


if __name__ == "__main__":
    print(json.dumps([*django_rows(), *werkzeug_rows(), *argon2_rows()], indent=1))
