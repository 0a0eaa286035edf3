"""What the doctor asks for and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """What became of a question."""

    FOUND = "found"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Provider(StrEnum):
    """Who provides what the question is about, or would have to."""

    AUTHER = "Auther"
    PLUGIN = "the plugin"
    APPLICATION = "the application"


@dataclass(frozen=True)
class Finding:
    """One question's answer.

    Attributes:
        found: What was found, or why it is not known; names nobody.
        means: What follows for the migration, and what to do about it.
        provider: Who provides it, or would have to.
        blocks: Logins cannot move to Auther like this. Never with FOUND.
    """

    state: State
    found: str
    means: str
    provider: Provider = Provider.AUTHER
    blocks: bool = False


@dataclass(frozen=True)
class Account:
    """A canary: an account at Auther whose owner gave us its password."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Setting:
    """What the configuration says about Auther.

    Attributes:
        api: The base of better-auth's HTTP API.
        canary: None without one; several questions need a session.
        api_key: For the exchange; None without one.
        sign_up_secret: What Auther asks for at sign-up, None when we have none.
        capabilities: The plugin's secrets by capability, as far as they are at hand.
        sign_up_url: Where the application lets people register, empty when it leaves that to Auther.
        forgot_password_url: Likewise for a forgotten password.
        accounts_linked: What the operator says about linking by e-mail; None when nothing.
        providers: Social providers that imported users may have.
        account_index: Whether account.user_id has an index, None when the database was not looked at.
        deliveries: Whether deliveries of Auther's webhook were believed here, and how they came.
    """

    base_url: str
    api: str
    client_id: str
    redirect_uri: str
    issuers: tuple[str, ...]
    audiences: tuple[str, ...]
    canary: Account | None = None
    api_key: str | None = field(default=None, repr=False)
    sign_up_secret: str | None = field(default=None, repr=False)
    capabilities: Mapping[str, str] = field(default_factory=dict, repr=False)
    sign_up_url: str = ""
    forgot_password_url: str = ""
    accounts_linked: bool | None = None
    providers: tuple[str, ...] = ()
    account_index: bool | None = None
    deliveries: tuple[bool, str] | None = None
    with_sign_up: bool = False


class NoAnswerError(Exception):
    """A question got no usable answer; the message says why, and goes into a report."""


def there(found: str, means: str, provider: Provider = Provider.AUTHER) -> Finding:
    """Say that something is as it has to be, or how it is."""
    return Finding(State.FOUND, found, means, provider)


def lacking(
    found: str, means: str, provider: Provider = Provider.AUTHER, *, blocks: bool = False
) -> Finding:
    """Say that something is not there, or not as it has to be."""
    return Finding(State.MISSING, found, means, provider, blocks)


def unsure(
    why: str, means: str, provider: Provider = Provider.AUTHER, *, blocks: bool = False
) -> Finding:
    """Say why something is not known."""
    return Finding(State.UNKNOWN, why, means, provider, blocks)
