"""What a shim target is: a name and files rendered from settings that hold no secret."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

from migrator.core.stage import Stage

CHANGE_ME = "CHANGE_ME"


@dataclass(frozen=True)
class ShimSettings:
    """What is baked into generated code; secrets come from its environment at run time.

    A value that is not known yet is a text that begins with `CHANGE_ME`; the generated code
    refuses to start while one is left and names it.

    Attributes:
        issuers: Allowed `iss` values; also what makes a bearer a candidate.
        audiences: Allowed `aud` values.
        algorithms: Allowed JWS algorithms, EdDSA first.
        source: The legacy model, e.g. `User`: the first key column of `migrator_identity`.
        namespace: The migration's name; a stage document of another one is refused.
        stage_public_key: Ed25519, base64url of the 32 raw bytes, no padding.
        build: What this build is called in `migrator_instance`.
        baked_stage: Holds while no stage document was ever seen.
        baked_percent: Share of browsers for Auther in a baked `dual`, 0 to 100.
        after_login: Same-origin path that a login ends at when it has no return path.
        users_table: The legacy users table, schema-qualified.
        users_pk: Its primary key column.
        plugin_url: Base of the plugin's endpoints at Auther (`…/api/auth/migrator`); empty: none of
            what needs it (shadow check, exchange, logout at Auther, reset tickets).
        foreign_paths: Path prefixes below which bearers of others go to the application's own
            authenticator; refused everywhere else.
        create_users: Whether an unknown `sub` gets a row through `migrator_new_user`.
        exchange_in_dual: Whether sessions are exchanged in `dual` already.
        json_doors_until: ISO 8601 UTC; from then on, in `drain`, sign-ins by JSON are refused.
            Empty: as soon as `drain` begins.
        delegate_permissions: Whether Auther decides about permissions.
        check_permission_url: Where it is asked.
        legacy: Off: the plain integration with Auther, without a legacy side.
    """

    issuers: tuple[str, ...]
    audiences: tuple[str, ...]
    jwks_url: str
    client_id: str
    authorize_url: str
    token_url: str
    redirect_uri: str
    namespace: str
    stage_public_key: str
    algorithms: tuple[str, ...] = ("EdDSA",)
    source: str = "User"
    build: str = "1"
    baked_stage: Stage = Stage.DUAL
    baked_percent: float = 0.0
    after_login: str = "/"
    users_table: str = "public.users"
    users_pk: str = "id"
    plugin_url: str = ""
    foreign_paths: tuple[str, ...] = ()
    create_users: bool = False
    exchange_in_dual: bool = False
    json_doors_until: str = ""
    delegate_permissions: bool = False
    check_permission_url: str = ""
    legacy: bool = True

    @classmethod
    def placeholders(cls) -> ShimSettings:
        """Give settings for `generate` without a configuration: nothing is known yet."""
        return cls(
            issuers=(f"{CHANGE_ME}_ISSUER",),
            audiences=(f"{CHANGE_ME}_AUDIENCE",),
            jwks_url=f"{CHANGE_ME}_JWKS_URL",
            client_id=f"{CHANGE_ME}_CLIENT_ID",
            authorize_url=f"{CHANGE_ME}_AUTHORIZE_URL",
            token_url=f"{CHANGE_ME}_TOKEN_URL",
            redirect_uri=f"{CHANGE_ME}_REDIRECT_URI",
            namespace=f"{CHANGE_ME}_NAMESPACE",
            stage_public_key=f"{CHANGE_ME}_STAGE_PUBLIC_KEY",
        )

    def missing(self) -> tuple[str, ...]:
        """Name the settings that are still placeholders."""
        return tuple(
            field.name
            for field in fields(self)
            if any(text.startswith(CHANGE_ME) for text in _texts(getattr(self, field.name)))
        )


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(part) for part in value) if isinstance(value, tuple) else ()


class Target(Protocol):
    """A stack that shims are generated for; one file a target, templates in their own folder."""

    @property
    def name(self) -> str:
        """Give the word after `--target`."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Give the words by which the application's own code uses the shim."""
        ...

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the shim.

        Returns:
            Each file's text by its path relative to the output folder, with `/` between parts.
        """
        ...
