"""What an application's source says about its authentication."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path


class Sign(StrEnum):
    """Something in the code that the cutover depends on."""

    SIGNS_IN = "signs_in"
    BYPASSES_HOOKS = "bypasses_hooks"
    CHECKS_PASSWORD = "checks_password"  # noqa: S105
    HOOKS = "hooks"
    STRATEGIES = "strategies"
    OWN_SESSION_KEY = "own_session_key"
    FOREIGN_BEARERS = "foreign_bearers"
    HTTP_BASIC = "http_basic"
    LOGIN_LINKS = "login_links"
    LEGACY_COLUMNS = "legacy_columns"
    USERS_IN_SQL = "users_in_sql"


@dataclass(frozen=True)
class Place:
    """Where something stands.

    Attributes:
        path: Relative to the application's folder, `/` between parts.
        line: From 1; 0 for a package in a lock file.
        what: The method, column or package, never a value.
    """

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.what}" if self.line else f"{self.path} {self.what}"


@dataclass(frozen=True)
class SessionStore:
    """Where the framework keeps sessions.

    Attributes:
        kind: `cookie`, `activerecord`, `django`, `laravel`, `redis`, `cache`, or the name in the code; '' when
            neither the code nor the framework's default says.
        expires: How long, as written in the code (`14.days`); '' when it does not say.
        ttl: The same as a time, where it is a constant and the reader knows its unit.
    """

    kind: str = ""
    expires: str = ""
    ttl: timedelta | None = None


@dataclass(frozen=True)
class ApplicationFindings:
    """All of it.

    Attributes:
        framework: A key of the registry, e.g. `rails`.
        versions: Of the libraries that matter, by name; from the lock file.
        models: Modules of authentication by model, e.g. {"User": ("database_authenticatable",)}.
        scopes: Scopes with routes of their own, e.g. ("users", "admins").
        settings: Of the authentication library, as written in the code; no secret is among them.
        secrets_set: Names of secret settings that have a value.
        ignores_columns: Models that name columns to be left alone.
        signs: Places by what was found there.
        unread: Files that could not be read, with the reason.
    """

    framework: str
    root: str
    files: int
    versions: Mapping[str, str]
    models: Mapping[str, tuple[str, ...]]
    scopes: tuple[str, ...]
    session_store: SessionStore
    settings: Mapping[str, str]
    secrets_set: tuple[str, ...]
    ignores_columns: tuple[str, ...]
    signs: Mapping[Sign, tuple[Place, ...]]
    unread: Mapping[str, str]

    def places(self, sign: Sign) -> tuple[Place, ...]:
        """Give the places of one sign."""
        return self.signs.get(sign, ())


class Reader(Protocol):
    """Knows one framework."""

    def recognises(self, root: Path) -> bool:
        """Tell whether a folder holds an application of this framework."""
        ...

    def read(self, root: Path, *, users_table: str) -> ApplicationFindings:
        """Read all of an application's own code.

        Args:
            root: Its folder.
            users_table: Name of the users table, without a schema.
        """
        ...
