"""What is known of one person on both sides. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.core.stage import Stage


class LegacyState(StrEnum):
    """Whether the application lets somebody in, password aside."""

    ACTIVE = "active"
    UNCONFIRMED = "unconfirmed"
    LOCKED = "locked"
    DELETED = "deleted"


@dataclass(frozen=True)
class LegacyFacts:
    """The row in the application's users table.

    Attributes:
        email_found: The login form finds this row by this address (no capitals or blanks stored).
        has_password: False for people who only come through a provider.
        scheme: Which scheme claims the stored value; empty when none does.
        refused: Why the import leaves this person out, with its detail; empty when it does not.
    """

    pk: str
    state: LegacyState
    email_found: bool
    has_password: bool
    scheme: str
    second_factor: bool
    refused: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class LinkFacts:
    """The row in `migrator_identity`.

    Attributes:
        hash_unchanged: The application's password is the one that was brought over.
        unwritten: Changes made at Auther that are not in the application yet.
    """

    auther_id: str
    home: str
    origin: str
    pinned: str | None
    hash_unchanged: bool
    last_legacy_at: datetime | None
    last_auther_at: datetime | None
    unwritten: int = 0


@dataclass(frozen=True)
class AutherFacts:
    """The user at Auther.

    Attributes:
        credential: `envelope bcrypt`, `Auther's own`, `none`, `unknown`, or why it is not shown.
        providers: Providers with an account.
        ban_reason: Why banned, None when not.
        sign_in_takes_address: Auther's sign-in form takes the address at all.
    """

    id: str
    verified: bool
    credential: str
    providers: tuple[str, ...]
    ban_reason: str | None
    sign_in_takes_address: bool
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Person:
    """One person as both sides know them.

    Attributes:
        link: None when nothing links the two sides.
        taken_by: Auther's user with this address when that is somebody else, not linked to this row.
        shadow: What Auther said to the last password that the legacy form accepted; empty when
            nothing was asked.
    """

    email: str
    legacy: LegacyFacts | None
    link: LinkFacts | None
    auther: AutherFacts | None
    taken_by: str = ""
    shadow: str = ""


@dataclass(frozen=True)
class Cutover:
    """Where the migration stands.

    Attributes:
        percent: Share of browsers for Auther in `dual`, 0 to 100.
    """

    stage: Stage
    percent: float
