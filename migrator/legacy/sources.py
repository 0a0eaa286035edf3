"""The kinds of legacy systems that users can come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.legacy.devise import DeviseSource, open_devise
from migrator.legacy.django import open_django
from migrator.legacy.laravel import open_laravel
from migrator.legacy.loaded import open_loaded
from migrator.legacy.query import open_query

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from migrator.config.model import LegacySection


@dataclass(frozen=True)
class SourceKind:
    """One value of `legacy.kind`.

    Attributes:
        reads: What it reads, for people.
        open: Connects with a DSN and `[legacy]`; raises as `open_devise` does.
        takes_rows: Whether it reads the application's own table, to which new users may be added.
    """

    reads: str
    open: Callable[[str, LegacySection], AbstractContextManager[DeviseSource]]
    takes_rows: bool = True


SOURCES: dict[str, SourceKind] = {
    "devise": SourceKind(
        "Rails on PostgreSQL: Devise, devise-encryptable, has_secure_password,"
        " restful_authentication, authlogic, clearance",
        open_devise,
    ),
    "django": SourceKind("Django on PostgreSQL: django.contrib.auth's user model", open_django),
    "laravel": SourceKind(
        "Laravel on PostgreSQL: the users table of its starter kits, with what Fortify, Socialite's"
        " guides and Spatie's laravel-permission add",
        open_laravel,
    ),
    "loaded": SourceKind(
        "a file that `migrator import load` read: CSV, JSON Lines, Auth0, Firebase",
        open_loaded,
        takes_rows=False,
    ),
    "sql": SourceKind(
        "any tables on PostgreSQL, through a SELECT in migrator.toml", open_query, takes_rows=False
    ),
}


def open_source(dsn: str, settings: LegacySection) -> AbstractContextManager[DeviseSource]:
    """Open the source that `legacy.kind` names."""
    return SOURCES[settings.kind].open(dsn, settings)
