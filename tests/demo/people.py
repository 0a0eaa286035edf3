"""A made-up Rails + Devise application: 10,000 users in the states that real ones are in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import bcrypt
import psycopg

from migrator.core.queries import load
from tests.demo.sessions import rails_session

if TYPE_CHECKING:
    from collections.abc import Iterator

SQL = load("tests.demo", "legacy.sql")
USERS = 10_000
LIVE_SESSIONS = 400
ANONYMOUS_SESSIONS = 250
COST = 4
NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)


@dataclass(frozen=True)
class Password:
    """One of a few passwords that the users share, so that the demo does not hash for minutes."""

    plain: str
    hashed: str


@dataclass(frozen=True)
class Person:
    """Somebody whose password the demo knows."""

    pk: int
    email: str
    password: Password


def make_passwords(pepper: str, *, count: int = 40) -> list[Password]:
    """Hash as Devise does: bcrypt over password and pepper, the first 72 bytes."""
    plain = [f"Secret-{n}-{secrets.token_hex(4)}" for n in range(count)]
    return [
        Password(
            p, bcrypt.hashpw((p + pepper).encode()[:72], bcrypt.gensalt(COST, b"2a")).decode()
        )
        for p in plain
    ]


def fill(dsn: str, *, pepper: str) -> list[Person]:
    """Create the application's tables and users, and give 100 active users with passwords."""
    passwords = make_passwords(pepper)
    with psycopg.connect(dsn) as connection:
        connection.execute(SQL["schema"])
        with connection.cursor().copy(SQL["copy_users"]) as copy:
            for row in _rows(passwords):
                copy.write_row(row)
        connection.execute(SQL["identities"])
        connection.execute(SQL["orders"])
        people = [_person(pk, passwords) for pk in range(1, 2 * LIVE_SESSIONS) if _is_plain(pk)]
        for person in people[:LIVE_SESSIONS]:
            connection.execute(
                SQL["insert_session"], rails_session(person.pk, person.password.hashed)[1]
            )
        for _ in range(ANONYMOUS_SESSIONS):
            connection.execute(SQL["insert_session"], rails_session(None, "")[1])
    return people[:100]


def _person(pk: int, passwords: list[Password]) -> Person:
    return Person(pk, f"user{pk}@example.org", passwords[pk % len(passwords)])


def _is_plain(pk: int) -> bool:
    """Tell whether the user is in none of the special states below."""
    return all(pk % period for period in (20, 50, 97, 101, 103, 499, 997))


def _rows(passwords: list[Password]) -> Iterator[tuple[object, ...]]:
    for pk in range(1, USERS + 1):
        created = NOW - timedelta(days=3000 - pk // 4)
        omniauth_only, second_factor = pk % 20 == 0, pk % 103 == 0
        yield (
            _email(pk),
            _stored_password(pk, passwords, omniauth_only),
            None if pk % 50 == 0 else created,
            NOW - timedelta(minutes=5) if pk % 97 == 0 else None,
            f"Person {pk}",
            True if second_factor else None,
            NOW - timedelta(days=30) if pk % 101 == 0 else None,
            created,
            created,
        )


def _email(pk: int) -> str:
    if pk % 997 == 0:
        return f"no-host-dot{pk}@localhost"
    return f"User{pk - 1}@Example.org" if pk % 499 == 0 else f"user{pk}@example.org"


def _stored_password(pk: int, passwords: list[Password], omniauth_only: bool) -> str:
    return "" if omniauth_only else passwords[pk % len(passwords)].hashed
