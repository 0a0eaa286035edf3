from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.config.model import LegacySection
from migrator.core.clock import ManualClock
from migrator.core.emails import auther_accepts, normalise
from migrator.legacy.canaries import try_canary
from migrator.legacy.census import take_census
from migrator.legacy.connect import open_database
from migrator.legacy.devise import DeviseSource, open_devise
from migrator.legacy.shapes import cost_label, shape
from tests.legacy.surveying import NOW, categories, oracle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.legacy.findings import Census

BCRYPT = "$2a$12$satnfkGtRYuKBV7rKzuq7uSueOeOnRXKuKr9UI0Kf4QBvVrFwff36"


@contextmanager
def opened(dsn: str, **settings: object) -> Iterator[DeviseSource]:
    with open_devise(dsn, LegacySection.model_validate({"dsn": "env:X", **settings})) as source:
        yield source


def taken(dsn: str, *, page_rows: int = 5000, **settings: object) -> tuple[Census, list[int]]:
    pages: list[int] = []
    with opened(dsn, **settings) as source:
        census = take_census(
            source,
            source.email_judge().loses,
            page_rows=page_rows,
            clock=ManualClock(NOW),
            observe=lambda page: pages.append(len(page.users)),
        )
    return census, pages


def test_counts_every_password_value_once(devise_db: str) -> None:
    census, _ = taken(devise_db)
    count = categories()
    assert census.read == sum(census.schemes.values()) == 600
    assert census.schemes["unclaimed: hex40"] == count["legacy_sha1"]
    assert census.schemes["unclaimed: hex32"] == count["legacy_md5"]
    assert census.schemes["no password"] == count["omniauth_only"] + count["null_password"]
    assert census.unclaimed == count["legacy_sha1"] + count["legacy_md5"]


def test_counts_prefix_and_cost_as_the_server_does(devise_db: str) -> None:
    with psycopg.connect(devise_db) as connection:
        rows = connection.execute(
            "SELECT 'bcrypt ' || left(encrypted_password, 4) || ' cost '"
            " || substr(encrypted_password, 5, 2)::int, count(*)"
            " FROM users WHERE encrypted_password LIKE '$2%' GROUP BY 1"
        ).fetchall()
    census, _ = taken(devise_db)
    assert {k: v for k, v in census.schemes.items() if k.startswith("bcrypt")} == dict(rows)


def test_finds_the_troubled_addresses_that_the_oracle_knows(devise_db: str) -> None:
    census, _ = taken(devise_db)
    emails = [row["email"] for row in oracle()]
    count = categories()
    present = [email for email in emails if normalise(email)]
    assert {name: problem.count for name, problem in census.emails.items()} == {
        "missing": count["null_email"] + count["blank_email"],
        "capitals": sum(email != email.lower() for email in present),
        "shared": count["dup_case_b"],
        "refused_by_auther": sum(not auther_accepts(normalise(email)) for email in present),
    }


def test_the_size_of_pages_changes_nothing(devise_db: str) -> None:
    whole, pages = taken(devise_db)
    assert pages == [600]
    small, pages = taken(devise_db, page_rows=7)
    assert small == whole
    assert pages == [7] * 85 + [5]


def test_white_space_and_user_names_are_problems_too(fresh_db: str) -> None:
    with psycopg.connect(fresh_db) as connection:
        connection.execute(
            "CREATE TABLE users (id int PRIMARY KEY, email text, encrypted_password text, nick text)"
        )
        connection.execute(
            "INSERT INTO users VALUES (1, ' a@b.co', '', 'fine_1'), (2, E'c@d.co\\n', '', 'no'),"
            " (3, E'e@f.co\\u00a0', '', 'two words'), (4, 'g@h.co', '', NULL), (5, ' \t', '', 'ok.ok')"
        )
    census, _ = taken(fresh_db, columns={"username": "nick"})
    counts = {name: problem.count for name, problem in census.emails.items()}
    # A no-break space is no white space to Ruby: that address stays as it is, and Auther refuses it.
    assert counts == {"missing": 1, "edge_space": 3, "refused_by_auther": 1, "username_refused": 2}
    assert [example.pk for example in census.emails["edge_space"].examples] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("0" * 32, "hex32"),
        ("aB" * 20, "hex40"),
        ("f" * 64, "hex64"),
        ("$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA", "argon2"),
        ("pbkdf2_sha256$600000$salt$aGFzaA==", "pbkdf2"),
        ("$6$rounds=5000$salt$hash", "crypt"),
        ("{SSHA}c2FsdGVk", "LDAP scheme"),
        (f"{'a' * 32}:{'b' * 128}", "better-auth scrypt"),
        ("migrator:v1:bcrypt:peppers=none:x", "a migrator envelope"),
        (BCRYPT[:29], "bcrypt, 29 characters long"),
        (BCRYPT[:29] + "." * 31, "bcrypt, checksum overwritten with dots"),
        (BCRYPT[:59] + "!", "bcrypt, malformed"),
        (f"{BCRYPT}\n", "bcrypt, malformed between white space"),
        (" \n", "white space only"),
        ("hunter2", "short text"),
        ("correct horse battery staple", "text, 28 characters long"),
        ("c2FsdHNhbHRzYWx0c2FsdA==", "base64, 24 characters long"),
    ],
)
def test_a_shape_tells_the_form_and_never_the_value(value: str, name: str) -> None:
    assert shape(value) == name
    assert value.strip() == "" or value not in name


def test_a_claimed_value_is_named_by_scheme_prefix_and_cost() -> None:
    assert cost_label("bcrypt", BCRYPT) == "bcrypt $2a$ cost 12"
    assert cost_label("sha1", "0" * 40) == "sha1"


def expected_canary(row: dict[str, str]) -> tuple[str, str]:
    """Give pepper id and fault for one row of the oracle, by Devise's own answers."""
    if row["devise_lookup_id"] == "":
        return "", "no such user"
    if row["devise_lookup_id"] != row["id"]:
        return "", "wrong password, or a pepper that is not configured"
    if row["scheme"] == "none":
        return "", "the account has no password"
    if not row["scheme"].startswith("bcrypt"):
        return "", "no scheme knows the stored value"
    return ("2024" if row["pepper"] else "none"), ""


def first_of_each_category() -> list[dict[str, str]]:
    seen: Counter[str] = Counter()
    picked = []
    for row in oracle():
        seen[row["category"]] += 1
        if seen[row["category"]] <= 2:
            picked.append(row)
    return picked


@pytest.fixture
def pepper() -> bytes:
    return next(row["pepper"] for row in oracle() if row["pepper"]).encode()


def test_canaries_tell_the_pepper_for_every_kind_of_user(devise_db: str, pepper: bytes) -> None:
    peppers = {"2024": pepper, "none": b""}
    wrong = {}
    with opened(devise_db) as source, open_database(devise_db) as connection:
        for row in first_of_each_category():
            email, password = row["email"], row["plaintext_password"]
            found = try_canary(connection, source, email=email, password=password, peppers=peppers)
            if (found.pepper, found.fault) != expected_canary(row):
                wrong[row["id"], row["category"]] = found
    assert wrong == {}


def test_a_missing_pepper_and_a_wrong_password_show(devise_db: str, pepper: bytes) -> None:
    known = {"email": " Member2@example.org", "password": "correct horse battery 2"}
    with opened(devise_db) as source, open_database(devise_db) as connection:
        tries = [
            try_canary(connection, source, **{**known, **change})
            for change in (
                {"peppers": {"new": b"other", "2024": pepper}},
                {"peppers": {"none": b""}},
                {"peppers": {"2024": pepper}, "password": "correct horse battery 3"},
            )
        ]
    assert [found.pepper for found in tries] == ["2024", "", ""]
    assert all("pepper that is not configured" in found.fault for found in tries[1:])
