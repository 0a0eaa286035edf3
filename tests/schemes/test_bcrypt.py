"""Values claimed and verified as Ruby's bcrypt and Devise made them."""

from __future__ import annotations

import psycopg
import pytest

from migrator.schemes.native import is_native, verify_native
from migrator.schemes.registry import SCHEMES, claimed_by
from tests.phases.importing import PEPPER, oracle

BCRYPT = SCHEMES["bcrypt"]
WHOLE = "$2a$04$RJjuQXxoncvv6MoXqeA5ReP8WEVpSRPZxVasGw0f3tI9bdBDCRneu"


@pytest.mark.parametrize("prefix", ["$2a", "$2b", "$2x", "$2y"])
def test_every_prefix_is_claimed_and_verified(prefix: str) -> None:
    value = prefix + WHOLE[3:]
    claim = claimed_by(value)
    assert claim is not None
    assert claim.scheme is BCRYPT
    password = next(row for row in oracle() if row["id"] == "1")["plaintext_password"]
    assert BCRYPT.verify(value, password.encode(), pepper=PEPPER.encode())
    assert not BCRYPT.verify(value, password.encode(), pepper=b"")
    assert not BCRYPT.verify(value, b"other", pepper=PEPPER.encode())


@pytest.mark.parametrize(
    "value",
    [
        "",
        WHOLE[:-1],
        WHOLE + "/",
        WHOLE + "\n",
        WHOLE[:29] + "." * 31,
        "$2$04" + WHOLE[6:],
        "a" * 40,
    ],
)
def test_anything_else_is_nobodys(value: str) -> None:
    assert claimed_by(value) is None


def test_a_value_that_cannot_be_verified_is_a_no_and_no_error() -> None:
    assert not BCRYPT.verify("$2a$04$" + "!" * 53, b"x", pepper=b"")


def test_only_72_bytes_count_even_inside_a_character(devise_db: str) -> None:
    rows = [r for r in oracle() if len((r["plaintext_password"] + r["pepper"]).encode()) > 72][:20]
    with psycopg.connect(devise_db) as connection:
        for row in rows:
            query = "SELECT encrypted_password FROM users WHERE id = %s"
            (value,) = connection.execute(query, [row["id"]]).fetchone()
            if claimed_by(value) is None:
                continue
            password, pepper = row["plaintext_password"].encode(), row["pepper"].encode()
            assert BCRYPT.verify(value, password, pepper=pepper)
            assert BCRYPT.verify(value, (password + pepper)[:72], pepper=b"")


def test_values_of_other_kinds_are_not_native() -> None:
    assert not is_native(WHOLE)
    assert not is_native("a" * 32 + ":" + "b" * 127)
    assert not verify_native("a" * 32 + ":" + "b" * 128, "password")
