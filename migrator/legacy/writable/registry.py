"""The kinds of applications that are written into, by `legacy.kind`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.legacy.writable.devise import devise_writable
from migrator.legacy.writable.django import django_writable
from migrator.legacy.writable.laravel import laravel_writable

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.config.model import LegacySection
    from migrator.legacy.connection import Connection
    from migrator.legacy.writable.interface import Writable


@dataclass(frozen=True)
class WritableKind:
    """One value of `legacy.kind`.

    Attributes:
        writes: What is written, for people.
        describe: Looks at the users table; raises UsageError when it or a column is missing.
        on_postgres_only: Its SQL is PostgreSQL's.
    """

    writes: str
    describe: Callable[[Connection, LegacySection], Writable]
    on_postgres_only: bool = True


WRITABLE: dict[str, WritableKind] = {
    "devise": WritableKind(
        "bcrypt with the current pepper; PostgreSQL, MariaDB, SQLite",
        devise_writable,
        on_postgres_only=False,
    ),
    "django": WritableKind(
        "PBKDF2, bcrypt or Argon2, as its newest passwords are; never for staff; PostgreSQL",
        django_writable,
    ),
    "laravel": WritableKind(
        "bcrypt or Argon2, as its newest passwords are; PostgreSQL", laravel_writable
    ),
}
