"""Sections about people: the operator's own queries, and roles with what they become at Auther."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from migrator.config.secrets import SecretRef
from migrator.config.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

# Auther's own entity types: a grant on one of them would make an application's role a power over
# the identity provider itself.
SYSTEM_TYPES = frozenset(
    {
        "platform",
        "users",
        "groups",
        "clients",
        "webhooks",
        "pipelines",
        "api_keys",
        "keys",
        "sessions",
    }
)

# What differs by `legacy.kind` from the defaults of `[legacy]`, which are Devise's.
USUAL: Mapping[str, Mapping[str, str]] = {
    "loaded": {"users_table": "public.migrator_loaded", "session_store": "none"},
    "laravel": {"session_store": "laravel"},
    "django": {
        "users_table": "public.auth_user",
        "session_store": "django",
        "sessions_table": "public.django_session",
    },
}


class QuerySection(Section):
    """`[legacy.query]`: SELECTs that give users, and what belongs to them, from any tables.

    Attributes:
        users: Gives at least the columns id, email and password.
        identities: Gives user_id, provider and uid, optionally created_at.
    """

    users: str = ""
    identities: str = ""


class RolesSection(Section):
    """`[legacy.roles]`: where the application keeps roles.

    Attributes:
        column: A column of the users table: a text, an array of texts, the integer of an enum, or
            a flag, whose name is the role.
        names: The enum's names by integer.
        table: rolify's table of roles, `schema.table` with id, name and possibly resource_type
            and resource_id.
        join_table: The table that joins users and roles, with user_id and role_id.
    """

    column: str = ""
    names: dict[str, str] = Field(default_factory=dict)
    table: str = "public.roles"
    join_table: str = ""


class TotpSection(Section):
    """`[legacy.totp]`: how the application keeps the secrets of second factors.

    Attributes:
        kind: A key of `migrator.legacy.second_factor.registry.VAULTS`.
        keys: The key that the library encrypts with, then the ones before it.
        issuer: What authenticator applications show beside the account, by default
            `migration.name`.
    """

    kind: Literal["devise-two-factor", "fortify"]
    keys: Annotated[tuple[SecretRef, ...], Field(min_length=1)]
    issuer: str = ""


class Grant(Section):
    """What a role becomes: one access tuple for each user who has it.

    Attributes:
        role: `editor`, or for rolify's roles on one class of things `moderator:Forum`.
        entity_type: As in Auther's authorization models, e.g. `client_<clientId>:organization`.
        entity_id: One thing, `*` for all, `{id}` for the thing that rolify's role is about.
        relation: A relation of that model.
    """

    role: str
    entity_type: str
    entity_id: str = "*"
    relation: str

    @model_validator(mode="after")
    def _is_no_power_over_auther(self) -> Self:
        if self.entity_type in SYSTEM_TYPES:
            raise ValueError(
                f"{self.entity_type} is Auther's own: a role of the application never becomes a power"
                " over Auther; use client_<clientId>:<type>"
            )
        if not (self.role and self.entity_type and self.entity_id and self.relation):
            raise ValueError("role, entity_type, entity_id and relation must not be empty")
        if any("|" in text for text in (self.entity_type, self.entity_id, self.relation)):
            raise ValueError(
                "a | cannot be part of an access tuple: it would make its id ambiguous"
            )
        return self


class GrantsSection(Section):
    """`[import.roles]`: what the application's roles become at Auther; by default nothing.

    Attributes:
        grants: What each role becomes; a role may have several.
        ignore: Roles that are left behind on purpose.
    """

    grants: tuple[Grant, ...] = ()
    ignore: tuple[str, ...] = ()
