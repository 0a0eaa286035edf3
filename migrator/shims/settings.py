"""Makes a shim's settings from migrator.toml."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.core.clock import iso
from migrator.shims.interface import CHANGE_ME, ShimSettings

if TYPE_CHECKING:
    from migrator.config.model import AutherSection, Config


def settings_from(config: Config, *, stage_public_key: str) -> ShimSettings:
    """Bake what the configuration knows; what it leaves empty stays a placeholder.

    Args:
        config: The whole file.
        stage_public_key: Of the key that signs stage documents, base64url of 32 raw bytes.
    """
    blank, shim = ShimSettings.placeholders(), config.shim
    return replace(
        _endpoints(blank, config.auther),
        redirect_uri=shim.redirect_uri or blank.redirect_uri,
        namespace=config.migration.name,
        stage_public_key=stage_public_key,
        source=config.legacy.model,
        build=shim.build,
        after_login=shim.after_login,
        users_table=config.legacy.users_table,
        users_pk=config.legacy.columns.get("id", "id"),
        foreign_paths=() if isinstance(shim.foreign_bearer, str) else shim.foreign_bearer,
        create_users=shim.create_users,
        exchange_in_dual=shim.exchange_in_dual,
        json_doors_until=iso(shim.json_doors_until) if shim.json_doors_until else "",
        delegate_permissions=shim.delegate_permissions,
    )


def _endpoints(blank: ShimSettings, auther: AutherSection) -> ShimSettings:
    known = bool(auther.base_url)
    client_id = auther.client_id or f"{CHANGE_ME}_CLIENT_ID"
    return replace(
        blank,
        issuers=auther.issuers or ((auther.base_url.rstrip("/"),) if known else blank.issuers),
        audiences=auther.audiences or ((client_id,) if auther.client_id else blank.audiences),
        client_id=client_id,
        jwks_url=f"{auther.api}/jwks" if known else blank.jwks_url,
        authorize_url=f"{auther.api}/oauth2/authorize" if known else blank.authorize_url,
        token_url=f"{auther.api}/oauth2/token" if known else blank.token_url,
        plugin_url=f"{auther.api}/migrator" if known else "",
        check_permission_url=f"{auther.api}/check-permission" if known else "",
    )
